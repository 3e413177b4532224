/** Gaussian mixtures with one covariance that all components share: densities of rows, on the GPU. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";

const MAX_ELEMENTS = 2 ** 22; // of gaps of a chunk's rows to all means, f32: 16 MiB
const MAX_CHUNK_ROWS = 1024; // f32 partial sums stay accurate

/** Squared length of whitened means up to which expanded squares in f32 keep log-densities to about 1e-3. */
const FAR = 4096;

/** A mixture of Gaussians N(μ_k, Σ), Σ⁻¹ = F Fᵀ. */
export interface Mixture {
  readonly means: Float32Array; // [K, D]
  readonly whiten: Float64Array; // F [D, D]
  readonly weights: Float64Array; // [K]
}

/** A mixture on the GPU. */
export interface MixtureTensors {
  readonly means: Tensor; // [K, D]
  readonly whiten: Tensor; // [D, D]
  readonly logWeights: Tensor; // [K]
  /** Whether whitened means lie so far out that squares of gaps must be taken one by one. */
  readonly isFar: boolean;
}

/** A B of matrices [R, D] and [D, D] in float64. */
export function product(a: ArrayLike<number>, b: ArrayLike<number>, dim: number): Float64Array {
  const made = new Float64Array(a.length);
  for (let start = 0; start < a.length; start += dim)
    for (let k = 0; k < dim; k++) {
      const factor = at(a, start + k);
      for (let col = 0; col < dim; col++)
        made[start + col] = at(made, start + col) + factor * at(b, k * dim + col);
    }
  return made;
}

/** Uploads a mixture. */
export function mixtureTensors(
  engine: Engine,
  {
    means,
    whiten,
    weights,
  }: Pick<Mixture, "means"> & {
    readonly whiten: ArrayLike<number>;
    readonly weights: ArrayLike<number>;
  },
): MixtureTensors {
  const components = weights.length;
  const dim = means.length / components;
  const lengths = new Float64Array(components);
  for (const [index, value] of product(means, whiten, dim).entries()) {
    const k = Math.floor(index / dim);
    lengths[k] = at(lengths, k) + value * value;
  }
  return {
    means: engine.tensor(means, [components, dim]),
    whiten: engine.tensor(Float32Array.from(whiten), [dim, dim]),
    logWeights: engine.tensor(Float32Array.from(weights, Math.log)),
    isFar: lengths.some((length) => length > FAR),
  };
}

/** Rows that are compared with all means at once. */
export const mixtureChunk = (components: number, dim: number): number =>
  Math.max(1, Math.min(MAX_CHUNK_ROWS, Math.floor(MAX_ELEMENTS / (components * dim))));

/**
 * log w_k − ½ (x − μ_k)ᵀ Σ⁻¹ (x − μ_k) of rows x [B, D]: [B, K]. Squares are expanded, ⟨z, m⟩ − ½‖m‖² −
 * ½‖z‖², as a product is many times faster, unless means lie far out: gaps are squared one by one then,
 * since the expansion would cancel for tight components that lie far apart.
 */
export function logTerms(engine: Engine, x: Tensor, mixture: MixtureTensors): Tensor {
  const { ops } = engine;
  const { means, whiten, logWeights, isFar } = mixture;
  const z = ops.matmul(x, whiten); // [B, D]
  const m = ops.matmul(means, whiten); // [K, D]
  if (isFar) {
    const gaps = ops.sub(engine.view(z, [at(x.shape, 0), 1, at(x.shape, 1)], 0), m); // [B, K, D]
    const squares = ops.sum(ops.square(gaps), { axes: [2] });
    return ops.add(ops.affine(squares, { scale: -0.5 }), logWeights);
  }
  const half = { scale: -0.5 } as const;
  const offset = ops.affine(ops.sum(ops.square(m), { axes: [1] }), half); // [K]
  const across = ops.matmul(z, m, ops.add(offset, logWeights), { transposeB: true }); // [B, K]
  const own = ops.sum(ops.square(z), { axes: [1], keepDims: true }); // [B, 1]
  return ops.add(across, ops.affine(own, half));
}
