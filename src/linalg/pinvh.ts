/** Pseudo-inverse of symmetric positive semi-definite matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { NumericError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { eigh } from "./eigh.ts";

/** Noise floor of f32: smaller eigenvalues of a covariance are rounding. */
const DEFAULT_RCOND = 1e-6;

/** A⁺ = Σ vⱼ vⱼᵀ / λⱼ over the eigenvalues that count. */
export interface PseudoInverse {
  /** [D, D] */
  readonly inverse: Tensor;
  /** Eigenvalues above the cut-off. */
  readonly rank: number;
  /** All eigenvalues, descending. */
  readonly values: Float64Array;
}

/**
 * Pseudo-inverse of a symmetric positive semi-definite matrix [D, D]; eigenvalues up to
 * rcond · λmax, and negative ones, count as zero.
 * @throws ShapeError if `a` is not square or empty.
 * @throws DataError if it holds NaN or Inf, or is not symmetric.
 * @throws NumericError if an inverse eigenvalue exceeds f32.
 * @throws NoConvergenceError if an iteration reaches its cap.
 */
export async function pinvh(
  engine: Engine,
  a: Tensor,
  { rcond = DEFAULT_RCOND }: { readonly rcond?: number } = {},
): Promise<PseudoInverse> {
  return engine.scope(async () => {
    const { ops } = engine;
    const { values, vectors } = await eigh(engine, a);
    const cutoff = Math.max(0, rcond * at(values, 0));
    const rank = values.filter((value) => value > cutoff).length;
    const inverses = Float32Array.from(values, (value, j) => (j < rank ? 1 / value : 0));
    if (!inverses.every(Number.isFinite))
      throw new NumericError(
        "pinvh: eigenvalues are too small to invert in f32; scale the matrix up, or raise rcond",
      );
    const scaled = ops.mul(vectors, engine.tensor(inverses)); // column j times 1 / λⱼ
    const inverse = ops.matmul(scaled, vectors, null, { transposeB: true });
    return { inverse, rank, values };
  });
}
