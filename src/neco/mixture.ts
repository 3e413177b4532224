/** Gaussian mixtures with one covariance that all components share: densities of rows, on the GPU. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { product } from "../linalg/index.ts";

const MAX_ELEMENTS = 2 ** 22; // of gaps of a chunk's rows to all means, f32: 16 MiB
const MAX_CHUNK_ROWS = 1024; // f32 partial sums stay accurate

/** Squared length of whitened means up to which expanded squares in f32 keep log-densities to about 1e-3. */
const FAR = 4096;

const HALF = { scale: -0.5 } as const;

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
  readonly whitened: Tensor; // means · whiten [K, D]
  readonly logWeights: Tensor; // [K]
  /** log w_k − ½ ‖whitened_k‖²: [K]. */
  readonly offset: Tensor;
  /** Whether whitened means lie so far out that squares of gaps must be taken one by one. */
  readonly isFar: boolean;
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
  const { ops } = engine;
  const components = weights.length;
  const dim = means.length / components;
  const lengths = new Float64Array(components);
  const exact = product(Float64Array.from(means), Float64Array.from(whiten), dim);
  for (let index = 0; index < exact.length; index++) {
    const k = Math.floor(index / dim);
    lengths[k] = at(lengths, k) + (exact[index] ?? 0) ** 2;
  }
  const uploaded = {
    means: engine.tensor(means, [components, dim]),
    whiten: engine.tensor(Float32Array.from(whiten), [dim, dim]),
    logWeights: engine.tensor(Float32Array.from(weights, Math.log)),
    isFar: lengths.some((length) => length > FAR),
  };
  const made = engine.scope(() => {
    const whitened = ops.matmul(uploaded.means, uploaded.whiten);
    const squares = ops.sum(ops.square(whitened), { axes: [1] });
    return { whitened, offset: ops.add(ops.affine(squares, HALF), uploaded.logWeights) };
  });
  return { ...uploaded, ...made };
}

/** Gives the memory of a mixture back. */
export function disposeMixture(mixture: MixtureTensors): void {
  const { means, whiten, whitened, logWeights, offset } = mixture;
  for (const tensor of [means, whiten, whitened, logWeights, offset]) tensor.dispose();
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
  const { whiten, whitened, logWeights, offset, isFar } = mixture;
  const z = ops.matmul(x, whiten); // [B, D]
  if (isFar) {
    const gaps = ops.sub(engine.view(z, [at(x.shape, 0), 1, at(x.shape, 1)], 0), whitened); // [B, K, D]
    return ops.add(ops.affine(ops.sum(ops.square(gaps), { axes: [2] }), HALF), logWeights);
  }
  const across = ops.matmul(z, whitened, offset, { transposeB: true }); // [B, K]
  const own = ops.sum(ops.square(z), { axes: [1], keepDims: true }); // [B, 1]
  return ops.add(across, ops.affine(own, HALF));
}
