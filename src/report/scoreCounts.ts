/** How scores lie, as counts and curves of bounded size: what figures need in place of the scores. */
import { at } from "../util/shape.ts";

const BINS = 100; // as the figure of the NECO paper
const ROC_POINTS = 100; // enough for a smooth curve of 460 pixels
const ROC_DIGITS = 1e4; // a step is a twentieth of a pixel

/** Score columns by `METHOD/id` and `METHOD/OODNAME`, higher = more in-distribution. */
export type ScoreColumns = Readonly<Record<string, ArrayLike<number>>>;

/** The operating points of a threshold that falls from +∞: shares of OOD and of ID that are kept. */
export interface Roc {
  readonly ood_kept: readonly number[];
  readonly id_kept: readonly number[];
}

/** A method's scores of the ID test set and of one OOD set. */
export interface Distribution {
  /** Ends of the bins, which are equally wide; scores beyond count into the end bins. */
  readonly low: number;
  readonly high: number;
  /** Samples by bin. */
  readonly id: readonly number[];
  readonly ood: readonly number[];
  readonly roc: Roc;
}

/** Distributions by method and OOD set. */
export type Distributions = Readonly<Record<string, Readonly<Record<string, Distribution>>>>;

/** Scores by bin between low and high; those outside count into the end bins. */
export function binCounts(
  scores: ArrayLike<number>,
  { low, high, bins = BINS }: { low: number; high: number; bins?: number },
): number[] {
  const width = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (let index = 0; index < scores.length; index++) {
    const bin = Math.floor((at(scores, index) - low) / width);
    const inside = Math.min(bins - 1, Math.max(0, bin));
    counts[inside] = at(counts, inside) + 1;
  }
  return counts;
}

/** ROC of ascending scores, tied ones merged, thinned to points that a drawing can show. */
export function rocCurve(id: Float64Array, ood: Float64Array, limit = ROC_POINTS): Roc {
  const points: [number, number][] = [[0, 0]];
  let idKept = 0;
  let oodKept = 0;
  const fromTop = (scores: Float64Array, kept: number): number =>
    scores[scores.length - 1 - kept] ?? -Infinity;
  while (idKept < id.length || oodKept < ood.length) {
    const threshold = Math.max(fromTop(id, idKept), fromTop(ood, oodKept));
    while (idKept < id.length && fromTop(id, idKept) >= threshold) idKept++;
    while (oodKept < ood.length && fromTop(ood, oodKept) >= threshold) oodKept++;
    points.push([oodKept / (ood.length || 1), idKept / (id.length || 1)]);
    if (Number.isNaN(threshold)) break;
  }
  const shown = thin(points, limit);
  const rounded = (share: number): number => Math.round(share * ROC_DIGITS) / ROC_DIGITS;
  return { ood_kept: shown.map(([x]) => rounded(x)), id_kept: shown.map(([, y]) => rounded(y)) };
}

/** Keeps points that lie at least 2/limit of the curve's length (|dx| + |dy| = 2) apart, and both ends. */
function thin(points: readonly [number, number][], limit: number): [number, number][] {
  const kept: [number, number][] = [];
  for (const [index, point] of points.entries()) {
    const [x, y] = kept[kept.length - 1] ?? [-1, -1];
    const isFar = point[0] - x + (point[1] - y) >= 2 / limit;
    if (isFar || index === points.length - 1) kept.push(point);
  }
  return kept;
}

/** The value below which a share of all lies, of two ascending lists. */
function quantile(a: Float64Array, b: Float64Array, share: number): number {
  const rank = Math.round(share * (a.length + b.length - 1));
  let [i, j] = [0, 0];
  while (i + j < rank) {
    if ((a[i] ?? Infinity) <= (b[j] ?? Infinity)) i++;
    else j++;
  }
  return Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
}

function distributionOf(id: Float64Array, ood: Float64Array): Distribution {
  // The middle 99.8 % of both sets, so that one far score does not flatten the picture.
  const range = { low: quantile(id, ood, 0.001), high: quantile(id, ood, 0.999) };
  return {
    ...range,
    id: binCounts(id, range),
    ood: binCounts(ood, range),
    roc: rocCurve(id, ood),
  };
}

/** The distributions of every method with an ID column; sets without samples are left out. */
export function distributionsOf(scores: ScoreColumns): Distributions {
  // A set may be called "x/id"; methods have no slash.
  const methods = Object.keys(scores).filter((name) => /^[^/]+\/id$/.test(name));
  return Object.fromEntries(
    methods.map((column) => {
      const method = column.slice(0, -"/id".length);
      const id = Float64Array.from(scores[column] ?? []).sort();
      const sets = Object.entries(scores).flatMap(([name, values]): [string, Distribution][] =>
        name.startsWith(`${method}/`) && name !== column && id.length > 0 && values.length > 0
          ? [[name.slice(method.length + 1), distributionOf(id, Float64Array.from(values).sort())]]
          : [],
      );
      return [method, Object.fromEntries(sets)];
    }),
  );
}
