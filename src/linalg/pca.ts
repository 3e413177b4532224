/** Principal components from moments. */
import type { Engine, Tensor } from "../engine/index.ts";
import { eighHost } from "./eigh.ts";
import { get } from "./float64.ts";
import type { Moments } from "./moments.ts";

/** Options of {@link pca}. */
export interface PcaOptions {
  /** Divide each feature by its population deviation first (scikit-learn's StandardScaler). */
  readonly standardize?: boolean;
  /** Directions of the largest variance (default); false: of the largest mean square. */
  readonly centred?: boolean;
}

/** Principal directions and what each explains. */
export interface Pca {
  /** What to subtract before projecting: zeros when not centred. [D] */
  readonly mean: Float64Array;
  /** What to divide by after that: ones when not standardised. [D] */
  readonly scale: Float64Array;
  /** [D, D]: column j is the direction of rank j. */
  readonly components: Tensor;
  /** Variance along each direction, divided by N − 1 (N when not centred), descending. */
  readonly explainedVariance: Float64Array;
  /** The same as parts of their sum; zeros if nothing varies. */
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

/**
 * All D principal directions of a sample.
 * @throws DataError if the moments hold NaN.
 * @throws CaptureError inside a program's capture.
 * @throws NoConvergenceError if an iteration reaches its cap.
 */
export async function pca(
  engine: Engine,
  moments: Moments,
  { standardize = false, centred = true }: PcaOptions = {},
): Promise<Pca> {
  const { count, mean, covariance } = moments;
  const dim = mean.length;
  const scale = standardize ? deviations(moments) : new Float64Array(dim).fill(1);
  const matrix = covariance.map((value, index) => {
    const [i, j] = [Math.floor(index / dim), index % dim];
    const second = centred ? value : value + get(mean, i) * get(mean, j);
    return second / (get(scale, i) * get(scale, j));
  });
  const { values, vectors, residual } = await eighHost(engine, matrix, dim);
  const unbiased = centred ? count / Math.max(1, count - 1) : 1;
  const explainedVariance = values.map((value) => Math.max(0, value) * unbiased);
  const total = explainedVariance.reduce((sum, value) => sum + value, 0);
  return {
    mean: centred ? mean.slice() : new Float64Array(dim),
    scale,
    components: vectors,
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((value) => (total > 0 ? value / total : 0)),
    residual,
  };
}
