/** One turn of expectation–maximisation: sums over the rows on the GPU, and the next mixture from them in float64. */
import type { Engine, Tensor } from "../engine/index.ts";
import { addProducts, inverseFactor, product } from "../linalg/index.ts";
import { at } from "../util/shape.ts";
import { addTo } from "./groups.ts";
import type { Mixture, MixtureTensors } from "./mixture.ts";

const NEVER_EMPTY = 10 * 2 ** -52; // added to each component's rows, as scikit-learn does

/**
 * What a turn gathers under a mixture. With r the responsibilities and e = x − Σ_k r_k μ_k, these give
 * the sums about each mean without a difference of large numbers; e whitened keeps the digits of
 * directions that vary little.
 */
export interface MixtureSums {
  readonly shared: Float64Array; // Σ r_k r_l: [K, K]
  readonly pulls: Float64Array; // Σ r_k e: [K, D]
  readonly scatter: Float64Array; // Σ Fᵀe eᵀF: [D, D]
}

/** The sums over no rows. */
export const noSums = (components: number, dim: number): MixtureSums => ({
  shared: new Float64Array(components ** 2),
  pulls: new Float64Array(components * dim),
  scatter: new Float64Array(dim ** 2),
});

/** What a chunk x [B, D] with responsibilities [B, K] adds to the sums, in the order of {@link addSums}. */
export function sumsOf(
  { ops }: Engine,
  [x, shares]: readonly [Tensor, Tensor],
  { means, whiten }: MixtureTensors,
): readonly Tensor[] {
  const rest = ops.sub(x, ops.matmul(shares, means)); // [B, D]
  const white = ops.matmul(rest, whiten); // [B, D]
  const across = { transposeA: true } as const;
  return [
    ops.matmul(shares, shares, null, across),
    ops.matmul(shares, rest, null, across),
    ops.matmul(white, white, null, across),
  ];
}

/** Adds what {@link sumsOf} made of a chunk. */
export function addSums(sums: MixtureSums, parts: readonly Float32Array[]): void {
  const [shared, pulls, scatter] = [at(parts, 0), at(parts, 1), at(parts, 2)];
  addTo(sums.shared, shared);
  addTo(sums.pulls, pulls);
  addTo(sums.scatter, scatter);
}

/** Σ_l s_kl (x_l − x_k) of rows x [K, D] that are tied by s [K, K]: [K, D]. */
function tensions(shared: Float64Array, x: Float64Array): Float64Array {
  const components = Math.sqrt(shared.length);
  const dim = x.length / components;
  const made = new Float64Array(x.length);
  for (let k = 0; k < components; k++)
    for (let l = 0; l < components; l++) {
      const tie = k === l ? 0 : (shared[k * components + l] ?? 0);
      const [own, other] = [k * dim, l * dim];
      for (let j = 0; j < dim && tie > 0; j++)
        made[own + j] = (made[own + j] ?? 0) + tie * ((x[other + j] ?? 0) - (x[own + j] ?? 0));
    }
  return made;
}

/** n_k = Σ_l Σ r_k r_l, as the responsibilities of a row add up to 1. */
function countsOf(shared: Float64Array): Float64Array {
  const components = Math.sqrt(shared.length);
  const counts = new Float64Array(components).fill(NEVER_EMPTY);
  for (let k = 0; k < components; k++)
    for (let l = 0; l < components; l++)
      counts[k] = (counts[k] ?? 0) + (shared[k * components + l] ?? 0);
  return counts;
}

/**
 * The mixture with the highest expected likelihood, on the host. n_k δ_k = Σ_l s_kl (μ_l − μ_k) + Σ r_k e
 * is how the means move. Σ_k r_k (x − μ_k)(x − μ_k)ᵀ = e eᵀ + Σ r_k r_l (μ_k − μ_l)(μ_k − μ_l)ᵀ over all
 * pairs, the latter being −Σ_k μ_k tension_kᵀ, and the move takes n_k δ_k δ_kᵀ off again; all of it in
 * coordinates that the mixture so far has whitened, where Σ is near I.
 */
export function maximise(
  { shared, pulls, scatter }: MixtureSums,
  { means, whiten, weights }: Mixture,
  { count, regularisation }: { readonly count: number; readonly regularisation: number },
): Mixture {
  const dim = means.length / weights.length;
  const counts = countsOf(shared);
  const before = Float64Array.from(means);
  const moves = tensions(shared, before).map(
    (tension, index) => (tension + at(pulls, index)) / at(counts, Math.floor(index / dim)),
  );
  const covariance = scatter.slice();
  const centres = product(before, whiten, dim);
  addProducts(covariance, [centres, tensions(shared, centres)], () => -1);
  const steps = product(moves, whiten, dim);
  addProducts(covariance, [steps, steps], (k) => -at(counts, k));
  addProducts(covariance, [whiten, whiten], () => count * regularisation); // N · reg · FᵀF
  const factor = inverseFactor(
    covariance.map((value) => value / count),
    dim,
  );
  return {
    means: means.map((value, index) => value + at(moves, index)),
    whiten: product(whiten, factor, dim),
    weights: counts.map((value) => value / count),
  };
}
