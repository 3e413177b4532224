/** Fits position embeddings to another number of patches. */
import { at } from "../../util/shape.ts";
import type { Shape } from "../../util/shape.ts";

/**
 * `bilinear`: corner-aligned, output i samples at i·(from−1)/(to−1), as in the original recipe's
 * zoom. `bicubic`: half-pixel centres with a = −0.75 and clamped edges, as PyTorch's interpolate
 * does for later recipes.
 */
export type Interpolation = "bilinear" | "bicubic";

/** Side of the patch grid of a [1, g·g + 1, D] embedding; 0 if it is no square. */
export function gridSide(shape: Shape): number {
  const side = Math.sqrt((shape[1] ?? 0) - 1);
  return shape.length === 3 && Number.isInteger(side) ? side : 0;
}

interface Tap {
  readonly index: number;
  readonly weight: number;
}

const CUBIC_A = -0.75;

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return ((CUBIC_A + 2) * x - (CUBIC_A + 3)) * x * x + 1;
  if (x < 2) return ((CUBIC_A * x - 5 * CUBIC_A) * x + 8 * CUBIC_A) * x - 4 * CUBIC_A;
  return 0;
}

/** Which old positions make up new position `index`, along one axis. */
function taps(index: number, from: number, to: number, interpolation: Interpolation): Tap[] {
  const clamp = (position: number): number => Math.min(from - 1, Math.max(0, position));
  if (interpolation === "bilinear") {
    const position = to > 1 ? (index * (from - 1)) / (to - 1) : 0;
    const low = Math.floor(position);
    const share = position - low;
    return [
      { index: clamp(low), weight: 1 - share },
      { index: clamp(low + 1), weight: share },
    ];
  }
  const position = ((index + 0.5) * from) / to - 0.5;
  const low = Math.floor(position);
  return [-1, 0, 1, 2].map((step) => ({
    index: clamp(low + step),
    weight: cubic(position - (low + step)),
  }));
}

/** pos_embed [1, from² + 1, D] → [1, to² + 1, D]; the class token's position is kept. */
export function resizePositions(
  values: Float32Array,
  { from, to, dim }: { from: number; to: number; dim: number },
  interpolation: Interpolation,
): Float32Array {
  const out = new Float32Array((to * to + 1) * dim);
  out.set(values.subarray(0, dim));
  const axis = Array.from({ length: to }, (_, index) => taps(index, from, to, interpolation));
  for (let row = 0; row < to; row++)
    for (let column = 0; column < to; column++)
      for (let d = 0; d < dim; d++) {
        let sum = 0;
        for (const y of at(axis, row))
          for (const x of at(axis, column))
            sum += y.weight * x.weight * at(values, (1 + y.index * from + x.index) * dim + d);
        out[(1 + row * to + column) * dim + d] = sum;
      }
  return out;
}
