/** Pseudo-inverses of matrices of any shape, from their singular values. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { svd } from "./svd.ts";

/** A⁺ = V Σ⁺ Uᵀ. */
export interface GeneralInverse {
  /** [N, M] */
  readonly inverse: Tensor;
  /** Singular values above the cut-off. */
  readonly rank: number;
  /** All singular values, descending. */
  readonly values: Float64Array;
}

/** Noise floor of f32. */
const DEFAULT_RCOND = 1e-6;

/**
 * Pseudo-inverse of any matrix [M, N]; singular values up to rcond · σmax count as zero.
 * @throws ShapeError if `a` is not a matrix or is empty.
 * @throws DataError if it holds NaN or Inf.
 * @throws NoConvergenceError if the sweeps do not end.
 */
export async function pinv(
  engine: Engine,
  a: Tensor,
  { rcond = DEFAULT_RCOND }: { readonly rcond?: number } = {},
): Promise<GeneralInverse> {
  return engine.scope(async () => {
    const { ops } = engine;
    const { u, values, v } = await svd(engine, a);
    const cutoff = rcond * at(values, 0);
    const rank = values.filter((value) => value > cutoff).length;
    const inverses = Float32Array.from(values, (value, k) => (k < rank ? 1 / value : 0));
    const scaled = ops.mul(v, engine.tensor(inverses));
    return { inverse: ops.matmul(scaled, u, null, { transposeB: true }), rank, values };
  });
}
