/** Log-densities of rows under a Gaussian mixture with the digits that scores need: for fits, mixture.ts will do. */
import type { Engine, Tensor } from "../engine/index.ts";
import { product } from "../linalg/index.ts";
import { at } from "../util/shape.ts";
import { disposeMixture, logTerms, mixtureTensors } from "./mixture.ts";
import type { Mixture, MixtureTensors } from "./mixture.ts";

/** A mixture on the GPU, and what lies between its components. */
export interface ScoredMixture extends MixtureTensors {
  /** log w_k − ½ ‖whitened_k − whitened_l‖², l being the row: [K, K]. */
  readonly between: Tensor;
}

type Parts = Readonly<Record<keyof Mixture, Float32Array>>;

/** The table of {@link ScoredMixture}, in float64 until the end. */
function betweenOf({ means, whiten, weights }: Parts): Float32Array {
  const count = weights.length;
  const dim = means.length / count;
  const whitened = product(Float64Array.from(means), Float64Array.from(whiten), dim);
  return Float32Array.from({ length: count * count }, (_, index) => {
    const [l, k] = [Math.floor(index / count), index % count];
    let total = 0;
    for (let j = 0; j < dim; j++)
      total += ((whitened[k * dim + j] ?? 0) - (whitened[l * dim + j] ?? 0)) ** 2;
    return Math.log(at(weights, k)) - total / 2;
  });
}

/** Uploads a mixture to score by. */
export function scoredMixture(engine: Engine, parts: Parts): ScoredMixture {
  const count = parts.weights.length;
  const between = engine.tensor(betweenOf(parts), [count, count]);
  return { ...mixtureTensors(engine, parts), between };
}

/** Gives the memory of a scored mixture back. */
export function disposeScored(mixture: ScoredMixture): void {
  disposeMixture(mixture);
  mixture.between.dispose();
}

/**
 * What {@link logTerms} gives, [B, K], of rows x [B, D]. With l the likeliest component by a first look and
 * z = Fᵀ(x − μ_l), that is ⟨z, m_k⟩ − ⟨z, m_l⟩ − ½‖m_k − m_l‖² − ½‖z‖² + log w_k: nothing as large as ‖m‖²
 * is rounded, so scores keep the digits in which they differ.
 */
export function nearTerms(engine: Engine, x: Tensor, mixture: ScoredMixture): Tensor {
  const { ops } = engine;
  const { means, whiten, whitened, between } = mixture;
  const perRow = { axes: [1], keepDims: true } as const;
  const own = ops.argmax(logTerms(engine, x, mixture)); // [B]
  const z = ops.matmul(ops.sub(x, ops.gather(means, own)), whiten); // [B, D]
  const along = ops.matmul(z, whitened, null, { transposeB: true }); // [B, K]
  const isOwn = ops.oneHot(own, { classes: at(whitened.shape, 0) });
  const level = ops.sum(ops.mul(along, isOwn), perRow); // ⟨z, m_l⟩, the same bits
  const apart = ops.add(ops.sub(along, level), ops.gather(between, own));
  return ops.sub(apart, ops.affine(ops.sum(ops.square(z), perRow), { scale: 0.5 }));
}
