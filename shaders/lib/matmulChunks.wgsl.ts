/** How f16 operands come into workgroup memory in chunks of 8. Needs matmulInterface. */
import { wgsl } from "./wgsl.ts";

/** Halves of a chunk, a vec4u. */
export const CHUNK = 8;

/** Options of {@link matmulChunks}. */
export interface ChunkOptions {
  /** Lines of its tile run along k; else along rows of a or columns of b, which then are contiguous. */
  readonly alongK: boolean;
  /** Bound as chunks, the contiguous axis being a multiple of 8; else as single halves. */
  readonly isWide: boolean;
}

/** What differs between the operands: their corner, their size and their stride across k. */
const NAMES = {
  a: { corner: "row", size: "m", stride: "a_row" },
  b: { corner: "col", size: "n", stride: "b_col" },
} as const;

/**
 * `load_a` (or `load_b`): one chunk of the tile whose first term is k, counted along its lines;
 * zeros where there are no rows, columns or terms. A tile stays as it lies in memory, so that
 * neighbouring lanes read neighbouring chunks whichever axis is contiguous. `slot_a`: where the
 * chunk goes. LINE_A is the number of chunks in a line, PITCH_A that from one line to the next.
 */
export function matmulChunks(operand: "a" | "b", { alongK, isWide }: ChunkOptions): string {
  const { corner, size, stride } = NAMES[operand];
  const suffix = operand.toUpperCase();
  return wgsl`
fn slot_${operand}(chunk: u32) -> u32 {
  return chunk / LINE_${suffix} * PITCH_${suffix} + chunk % LINE_${suffix};
}

fn load_${operand}(tile: Place, chunk: u32, k: u32) -> vec4u {
  let line = chunk / LINE_${suffix};
  let within = chunk % LINE_${suffix} * 8u;
#if ${alongK}
  let outer = tile.${corner} + line;
  let term = k + within;
#else
  let outer = tile.${corner} + within;
  let term = k + line;
#endif
  if (outer >= params.${size} || term >= tile.k_end) {
    return vec4u();
  }
  let start = tile.${operand}_base + outer * params.${stride} + term * params.${operand}_step;
#if ${isWide}
  return ${operand}[start / 8u];
#else
#if ${alongK}
  let count = tile.k_end - term;
#else
  let count = params.${size} - outer;
#endif
  return vec4u(halves_${operand}(start, 0u, count), halves_${operand}(start, 4u, count));
#endif
}

#if ${!isWide}
// 4 halves of a chunk from its half number first on; zeros past the last one that there is.
fn halves_${operand}(start: u32, first: u32, count: u32) -> vec2u {
  let wanted = first + vec4u(0u, 1u, 2u, 3u);
  let at = start + min(wanted, vec4u(count - 1u));
  let value = Quad(${operand}[at.x], ${operand}[at.y], ${operand}[at.z], ${operand}[at.w]);
  return bitcast<vec2u>(select(Quad(), value, wanted < vec4u(count)));
}
#endif
`;
}
