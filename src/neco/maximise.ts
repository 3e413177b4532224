/** One turn of expectation–maximisation: sums over the rows on the GPU, and the next mixture from them in float64. */
import type { Engine, Tensor } from "../engine/index.ts";
import { inverseFactor } from "../linalg/index.ts";
import { at } from "../util/shape.ts";
import { someRows } from "./clusters.ts";
import type { Rows } from "./clusters.ts";
import { addTo } from "./groups.ts";
import { mixtureChunk, mixtureTensors, product } from "./mixture.ts";
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

/** The responsibilities [B, K] for rows start … end − 1, which are x [B, D]. */
type SharesOf = (x: Tensor, start: number, end: number) => Promise<Tensor>;

/** Adds rows to the sums. */
async function gather(
  { ops }: Engine,
  sums: MixtureSums,
  [x, shares]: readonly [Tensor, Tensor],
  { means, whiten }: MixtureTensors,
): Promise<void> {
  const rest = ops.sub(x, ops.matmul(shares, means)); // [B, D]
  const white = ops.matmul(rest, whiten); // [B, D]
  const across = { transposeA: true } as const;
  addTo(sums.shared, await ops.matmul(shares, shares, null, across).floats());
  addTo(sums.pulls, await ops.matmul(shares, rest, null, across).floats());
  addTo(sums.scatter, await ops.matmul(white, white, null, across).floats());
}

/** MixtureSums over all rows. */
export async function mixtureSums(
  engine: Engine,
  rows: Rows,
  mixture: Mixture,
  sharesOf: SharesOf,
): Promise<MixtureSums> {
  const { dim, count } = rows;
  const components = mixture.weights.length;
  const sums = {
    shared: new Float64Array(components ** 2),
    pulls: new Float64Array(components * dim),
    scatter: new Float64Array(dim ** 2),
  };
  const step = mixtureChunk(components, dim);
  for (let start = 0; start < count; start += step) {
    const end = Math.min(count, start + step);
    await engine.scope(async () => {
      const x = engine.tensor(someRows(rows, start, end), [end - start, dim]);
      const shares = await sharesOf(x, start, end);
      await gather(engine, sums, [x, shares], mixtureTensors(engine, mixture));
    });
  }
  return sums;
}

/** Adds Σ_k factor_k a_k b_kᵀ over rows of two matrices [K, D]. */
function addProducts(
  matrix: Float64Array,
  [a, b]: readonly [Float64Array, Float64Array],
  factorOf: (row: number) => number,
): void {
  const dim = Math.sqrt(matrix.length);
  for (let start = 0; start < a.length; start += dim)
    for (let i = 0; i < dim; i++) {
      const factor = factorOf(start / dim) * at(a, start + i);
      for (let j = 0; j < dim; j++)
        matrix[i * dim + j] = at(matrix, i * dim + j) + factor * at(b, start + j);
    }
}

/** Σ_l s_kl (x_l − x_k) of rows x [K, D] that are tied by s [K, K]: [K, D]. */
function tensions(shared: Float64Array, x: ArrayLike<number>): Float64Array {
  const components = Math.sqrt(shared.length);
  const dim = x.length / components;
  const made = new Float64Array(x.length);
  for (let k = 0; k < components; k++)
    for (let l = 0; l < components; l++) {
      const tie = k === l ? 0 : at(shared, k * components + l);
      for (let j = 0; j < dim && tie > 0; j++)
        made[k * dim + j] = at(made, k * dim + j) + tie * (at(x, l * dim + j) - at(x, k * dim + j));
    }
  return made;
}

/** n_k = Σ_l Σ r_k r_l, as the responsibilities of a row add up to 1. */
function countsOf(shared: Float64Array): Float64Array {
  const components = Math.sqrt(shared.length);
  const counts = new Float64Array(components).fill(NEVER_EMPTY);
  for (const [index, tie] of shared.entries()) {
    const k = Math.floor(index / components);
    counts[k] = at(counts, k) + tie;
  }
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
  const moves = tensions(shared, means).map(
    (tension, index) => (tension + at(pulls, index)) / at(counts, Math.floor(index / dim)),
  );
  const covariance = scatter.slice();
  const centres = product(means, whiten, dim);
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
