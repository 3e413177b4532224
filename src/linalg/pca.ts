/** Principal components from moments. */
import type { Engine, Tensor } from "../engine/index.ts";
import { ShapeError } from "../util/errors.ts";
import { eighHost } from "./eigh.ts";
import type { Eigen } from "./eigh.ts";
import { get } from "./float64.ts";
import type { Moments } from "./moments.ts";
import { largestEigen } from "./randomised.ts";

/** Options of {@link pca}. */
export interface PcaOptions {
  /** Divide each feature by its population deviation first (scikit-learn's StandardScaler). */
  readonly standardize?: boolean;
  /** Directions of the largest variance (default); false: of the largest mean square. */
  readonly centred?: boolean;
  /** Directions wanted. Default: all D. */
  readonly components?: number;
  /**
   * How fewer than D directions are found: from all of them (default), or from a random subspace,
   * which is faster and takes a spectrum that falls.
   */
  readonly solver?: "full" | "randomised";
  /** Of the random subspace. Default: 0. */
  readonly seed?: number;
}

/** Principal directions and what each explains. */
export interface Pca {
  /** What to subtract before projecting: zeros when not centred. [D] */
  readonly mean: Float64Array;
  /** What to divide by after that: ones when not standardised. [D] */
  readonly scale: Float64Array;
  /** [D, K]: column j is the direction of rank j. */
  readonly components: Tensor;
  /** Variance along each of the K directions, divided by N − 1 (N when not centred), descending. */
  readonly explainedVariance: Float64Array;
  /** The same as parts of the variance along all D directions; zeros if nothing varies. */
  readonly explainedVarianceRatio: Float64Array;
  /** Largest residual of an eigenpair over the largest eigenvalue, as measured. */
  readonly residual: number;
}

/** Distance from 1 to the next f32: features come in f32. */
const F32_EPSILON = 2 ** -23;

/**
 * Population deviations, with 1 in place of a deviation that rounding alone explains, so that
 * constant features stay zero instead of becoming noise.
 */
export function deviations({ mean, covariance }: Moments): Float64Array {
  const dim = mean.length;
  return mean.map((center, j) => {
    const deviation = Math.sqrt(Math.max(0, get(covariance, j * dim + j)));
    return deviation <= Math.abs(center) * F32_EPSILON ? 1 : deviation;
  });
}

/** Covariance or second moments, of scaled features: [D · D]. */
function secondMoments(
  { mean, covariance }: Moments,
  scale: Float64Array,
  centred: boolean,
): Float64Array {
  const dim = mean.length;
  const made = covariance.slice();
  for (let i = 0; i < dim; i++)
    for (let index = i * dim, j = 0; j < dim; index++, j++) {
      const second = get(made, index) + (centred ? 0 : get(mean, i) * get(mean, j));
      made[index] = second / (get(scale, i) * get(scale, j));
    }
  return made;
}

/** The first eigenvectors of all, in memory of their own. */
async function fullEigen(
  engine: Engine,
  matrix: Float64Array,
  dim: number,
  rank: number,
): Promise<Eigen> {
  const all = await eighHost(engine, matrix, dim);
  if (rank === dim) return all;
  const vectors = engine.ops.slice(all.vectors, { axis: 1, end: rank });
  all.vectors.dispose();
  return { ...all, values: all.values.slice(0, rank), vectors };
}

/**
 * The principal directions of a sample, all D or the first `components`.
 * @throws ShapeError if there are fewer than `components` features.
 * @throws DataError if the moments hold NaN.
 * @throws CaptureError inside a program's capture.
 * @throws NoConvergenceError if an iteration reaches its cap.
 */
export async function pca(
  engine: Engine,
  moments: Moments,
  options: PcaOptions = {},
): Promise<Pca> {
  const { standardize = false, centred = true, solver = "full", seed = 0 } = options;
  const { count, mean } = moments;
  const dim = mean.length;
  const rank = options.components ?? dim;
  if (!Number.isInteger(rank) || rank < 1 || rank > dim)
    throw new ShapeError("pca", `components ${rank} is not between 1 and the features`, {
      mean: [dim],
    });
  const scale = standardize ? deviations(moments) : new Float64Array(dim).fill(1);
  const matrix = secondMoments(moments, scale, centred);
  const { values, vectors, residual } =
    solver === "full"
      ? await fullEigen(engine, matrix, dim, rank)
      : await largestEigen(engine, matrix, dim, { rank, seed });
  const unbiased = centred ? count / Math.max(1, count - 1) : 1;
  const explainedVariance = values.map((value) => Math.max(0, value) * unbiased);
  const trace = mean.reduce((sum, _value, j) => sum + get(matrix, j * (dim + 1)), 0);
  // Rounding may leave the sum of all D eigenvalues above the trace.
  const sum = explainedVariance.reduce((total, value) => total + value, 0);
  const total = rank === dim ? sum : Math.max(sum, trace * unbiased);
  return {
    mean: centred ? mean.slice() : new Float64Array(dim),
    scale,
    components: vectors,
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((value) => (total > 0 ? value / total : 0)),
    residual,
  };
}
