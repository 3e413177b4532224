/** What attention's tiled kernels share: how rows and tiles lie on lanes, and products of both. */
import { element } from "./half.wgsl.ts";
import { wgsl } from "./wgsl.ts";

/** Options of the attention kernels with tiles in workgroup memory. */
export interface AttentionTiledOptions {
  readonly headSize: number;
  /** Tokens of a head that a workgroup takes, a multiple of 16. */
  readonly rows: number;
  /** Tokens of the other side that it takes at once: 8, 16 or 32. */
  readonly tile: number;
  /** Weights are dropped: masks are drawn with random_key. */
  readonly dropout: boolean;
  /** qkv, y and g are stored as f16; everything else is f32. */
  readonly isHalf: boolean;
}

/** Rows that the lanes of a workgroup score at once, each against 4 tokens of the tile. */
const SCORED = 16;
/** Lanes side by side along a head when they add up weighted rows. */
const MAX_PART_LANES = 16;

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(atLeast));

/** Rows in workgroup memory are an odd number of vec4f apart, so that 8 of them meet no bank twice. */
const odd = (count: number): number => count + 1 - (count % 2);

/** A tiling in numbers; all lengths of memory in vec4f. */
export interface Tiling {
  readonly lanes: number;
  /** vec4f of a head's row, and from one row to the next. */
  readonly parts: number;
  readonly stride: number;
  /** Fours of tokens in a tile, and from one row of weights to the next. */
  readonly quads: number;
  readonly quadStride: number;
  /** Lanes along the rows, when weighted rows are added up; the others go along the head. */
  readonly rowLanes: number;
  readonly partLanes: number;
}

/** The numbers that follow from a kernel's options. */
export function tilingOf(o: Pick<AttentionTiledOptions, "headSize" | "rows" | "tile">): Tiling {
  const parts = Math.ceil(o.headSize / 4);
  const quads = o.tile / 4;
  const lanes = SCORED * quads;
  const rowLanes = Math.min(o.rows, lanes / Math.min(lanes, MAX_PART_LANES, powerOfTwo(parts)));
  const strides = { stride: odd(parts), quadStride: odd(quads) };
  return { lanes, parts, quads, rowLanes, partLanes: lanes / rowLanes, ...strides };
}

/** Constants of a tiling, and `Element` and `Stored`, of which buffers with heads are made. */
export const attentionTiles = (o: AttentionTiledOptions): string => {
  const { lanes, parts, stride, quads, quadStride, rowLanes, partLanes } = tilingOf(o);
  return wgsl`
const HEAD_SIZE: u32 = ${o.headSize}u;
const PARTS: u32 = ${parts}u; // vec4f of a row; zeros fill the last one
const STRIDE: u32 = ${stride}u; // vec4f from one row to the next in workgroup memory
const ROWS: u32 = ${o.rows}u;
const TILE: u32 = ${o.tile}u;
const QUADS: u32 = ${quads}u; // fours of tokens in a tile
const QUAD_STRIDE: u32 = ${quadStride}u;
const LANES: u32 = ${lanes}u;
const SCORED: u32 = ${SCORED}u; // rows that all lanes score at once
const SCORE_ROWS: u32 = ${o.rows / SCORED}u; // of a lane
const ROW_LANES: u32 = ${rowLanes}u;
const PART_LANES: u32 = ${partLanes}u;
const ROWS_EACH: u32 = ${o.rows / rowLanes}u;
const PARTS_EACH: u32 = ${Math.ceil(parts / partLanes)}u;
const SUMS: u32 = ROWS_EACH * PARTS_EACH; // of a lane
${element(o.isHalf)}
#if ${isPacked(o)}
alias Stored = Quad;
#else
alias Stored = Element;
#endif

// Tokens lie in a tile so that lanes with neighbouring quads read neighbouring slots.
fn tile_token(slot: u32) -> u32 {
  return 4u * (slot % QUADS) + slot / QUADS;
}
`;
};

/** Whether heads are whole vec4s, which is how they are read and written then. */
export const isPacked = ({ headSize }: Pick<AttentionTiledOptions, "headSize">): boolean =>
  headSize % 4 === 0;

/** `BUFFER_part(start, part)`: four floats of the head's row at `start`. */
export const loadPart = (buffer: string, o: AttentionTiledOptions): string => wgsl`
#if ${isPacked(o)}
fn ${buffer}_part(start: u32, part: u32) -> vec4f {
  return vec4f(${buffer}[start / 4u + part]);
}
#else
fn ${buffer}_part(start: u32, part: u32) -> vec4f {
  let d = vec4u(0u, 1u, 2u, 3u) + 4u * part;
  let at = start + min(d, vec4u(HEAD_SIZE - 1u));
  let value = vec4f(Quad(${buffer}[at.x], ${buffer}[at.y], ${buffer}[at.z], ${buffer}[at.w]));
  return select(vec4f(), value, d < vec4u(HEAD_SIZE));
}
#endif
`;

/** `store_part(start, part, value)` into a buffer of `scalar`s, or of `quad`s where heads are packed. */
export const storePart = (
  buffer: string,
  { scalar, quad }: { readonly scalar: string; readonly quad: string },
  o: AttentionTiledOptions,
): string => wgsl`
#if ${isPacked(o)}
fn store_part(start: u32, part: u32, value: vec4f) {
  ${buffer}[start / 4u + part] = ${quad}(value);
}
#else
fn store_part(start: u32, part: u32, value: vec4f) {
  let count = min(4u, HEAD_SIZE - 4u * part);
  for (var k = 0u; k < count; k++) {
    ${buffer}[start + 4u * part + k] = ${scalar}(value[k]);
  }
}
#endif
`;

/** `NAME(row, quad)`: the products of SCORE_ROWS of the block's rows with 4 tokens of the tile. */
export const tileProducts = (name: string, rows: string, tile: string): string => `
fn ${name}(row: u32, quad: u32) -> array<vec4f, SCORE_ROWS> {
  var dots = array<vec4f, 4u * SCORE_ROWS>();
  let parts = (params.head_size + 3u) / 4u; // = PARTS, but the loop stays a loop
  for (var part = 0u; part < parts; part++) {
    let at = quad * STRIDE + part;
    let token_0 = ${tile}[at];
    let token_1 = ${tile}[at + QUADS * STRIDE];
    let token_2 = ${tile}[at + 2u * QUADS * STRIDE];
    let token_3 = ${tile}[at + 3u * QUADS * STRIDE];
    for (var r = 0u; r < SCORE_ROWS; r++) {
      let own = ${rows}[(row + r * SCORED) * STRIDE + part];
      dots[4u * r] = fma(own, token_0, dots[4u * r]);
      dots[4u * r + 1u] = fma(own, token_1, dots[4u * r + 1u]);
      dots[4u * r + 2u] = fma(own, token_2, dots[4u * r + 2u]);
      dots[4u * r + 3u] = fma(own, token_3, dots[4u * r + 3u]);
    }
  }
  var sums: array<vec4f, SCORE_ROWS>;
  for (var r = 0u; r < SCORE_ROWS; r++) {
    let at = 4u * r;
    sums[r] = vec4f(1.0) * mat4x4f(dots[at], dots[at + 1u], dots[at + 2u], dots[at + 3u]);
  }
  return sums;
}
`;

/**
 * `NAME(before, lane, quads)`: a lane's sums and what the tile's tokens add to them, each by its
 * weight. Sum r · PARTS_EACH + p is of row lane % ROW_LANES + r · ROW_LANES and its part
 * lane / ROW_LANES + p · PART_LANES.
 */
export const tileSums = (name: string, weights: string, tile: string): string => `
fn ${name}(before: array<vec4f, SUMS>, lane: u32, quads: u32) -> array<vec4f, SUMS> {
  var sums = before;
  for (var quad = 0u; quad < quads; quad++) {
    for (var p = 0u; p < PARTS_EACH; p++) {
      let part = min(lane / ROW_LANES + p * PART_LANES, PARTS - 1u); // surplus lanes store nothing
      let at = quad * STRIDE + part;
      let token_0 = ${tile}[at];
      let token_1 = ${tile}[at + QUADS * STRIDE];
      let token_2 = ${tile}[at + 2u * QUADS * STRIDE];
      let token_3 = ${tile}[at + 3u * QUADS * STRIDE];
      for (var r = 0u; r < ROWS_EACH; r++) {
        let weight = ${weights}[(lane % ROW_LANES + r * ROW_LANES) * QUAD_STRIDE + quad];
        var added = weight.x * token_0;
        added = fma(weight.yyyy, token_1, added);
        added = fma(weight.zzzz, token_2, added);
        added = fma(weight.wwww, token_3, added);
        sums[r * PARTS_EACH + p] += added;
      }
    }
  }
  return sums;
}
`;
