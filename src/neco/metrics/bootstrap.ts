/** Confidence intervals by the bootstrap: ID and OOD samples drawn anew, each side from itself. */
import { at } from "../../util/shape.ts";
import { cellsOf, cellSteps } from "./cells.ts";
import type { Cells } from "./cells.ts";
import { drawsOneByOne, resampler } from "./multinomial.ts";
import { SampleDraws } from "./sampleDraws.ts";
import { everyMetric, metricsOfRanking, metricsOfSteps } from "./oodMetrics.ts";
import type { MetricKey, OodMetrics } from "./oodMetrics.ts";
import type { Ranking } from "./thresholds.ts";

/** Two ends between which a figure lies with the stated confidence. */
export type Interval = readonly [low: number, high: number];

/** How a bootstrap runs. */
export interface BootstrapOptions {
  /** Resamples; 1,000 if not given. */
  readonly replicates?: number;
  /** Equal seeds give equal intervals; 0 if not given. */
  readonly seed?: number;
  /** Share of the replicates between the ends; 0.95 if not given. */
  readonly level?: number;
  /** Distinct scores above which neighbours share a count; 8,192 if not given. */
  readonly maxCells?: number;
  /** Keeps draws for further rankings of the same numbers of samples. */
  readonly draws?: SampleDraws;
}

/** Resamples unless told otherwise. */
export const REPLICATES = 1000;
/** Confidence unless told otherwise. */
export const LEVEL = 0.95;

/** Streams of one seed, so that the two sides are drawn apart, and every OOD set from the others. */
const STREAM = { id: 0, ood: 1 } as const;

/** Every figure of every resample of one ID set against one OOD set. */
export interface Replicates {
  readonly values: Readonly<Record<MetricKey, Float64Array>>;
  /**
   * A replicate holds the same ID samples for all OOD sets of the seed: so it is up to 32,768 of
   * them, which are drawn one by one.
   */
  readonly sharesId: boolean;
}

/**
 * Draws a stratified bootstrap (Efron and Tibshirani, 1993, chapter 13) of the `set`-th OOD set. A
 * replicate draws counts per distinct score, so that it costs no sorting. Above `maxCells` distinct
 * scores neighbours share a count; what that alone changes is added back to every replicate.
 */
export function bootstrapReplicates(
  ranking: Ranking,
  { replicates = REPLICATES, seed = 0, maxCells, draws = new SampleDraws() }: BootstrapOptions = {},
  set = 0,
): Replicates {
  const cells = cellsOf(ranking, maxCells);
  const shift = mergingShift(ranking, cells);
  const drawn = { id: new Float64Array(cells.id.length), ood: new Float64Array(cells.id.length) };
  const drawing = { seed, replicates };
  const drawId = resampler(cells.id, { ...drawing, stream: STREAM.id }, draws);
  const drawOod = resampler(cells.ood, { ...drawing, stream: STREAM.ood + set }, draws);
  const values = everyMetric(() => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate++) {
    drawId(drawn.id, replicate);
    drawOod(drawn.ood, replicate);
    const metrics = metricsOfSteps(cellSteps(drawn));
    everyMetric((key) => (values[key][replicate] = clamp(metrics[key] + shift[key])));
  }
  return { values, sharesId: drawsOneByOne(cells.id) };
}

/** Percentile intervals of what was drawn; the middle `level` of the replicates lies between. */
export function intervalsOf(
  { values }: Pick<Replicates, "values">,
  { level = LEVEL }: BootstrapOptions = {},
): Record<MetricKey, Interval> {
  const tail = (1 - level) / 2;
  return everyMetric((key): Interval => {
    const sorted = values[key].slice().sort();
    return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
  });
}

/** Percentile intervals of every figure of one OOD set. */
export const bootstrapIntervals = (
  ranking: Ranking,
  options: BootstrapOptions = {},
): Record<MetricKey, Interval> => intervalsOf(bootstrapReplicates(ranking, options), options);

/**
 * Percentile intervals of every figure's mean over OOD sets, which share each replicate's ID samples;
 * null where they do not, or where there is no set.
 */
export function averageIntervals(
  sets: readonly Replicates[],
  options: BootstrapOptions = {},
): Record<MetricKey, Interval> | null {
  if (sets.length === 0 || !sets.every(({ sharesId }) => sharesId)) return null;
  const values = everyMetric((key) => {
    const mean = new Float64Array(sets[0]?.values[key].length ?? 0);
    for (const set of sets)
      mean.forEach((total, replicate) => {
        mean[replicate] = total + at(set.values[key], replicate) / sets.length;
      });
    return mean;
  });
  return intervalsOf({ values }, options);
}

/** What merging changes by itself: zero where nothing was merged. */
function mergingShift(ranking: Ranking, cells: Cells): OodMetrics {
  if (!cells.isMerged) return everyMetric(() => 0);
  const [exact, merged] = [metricsOfRanking(ranking), metricsOfSteps(cellSteps(cells))];
  return everyMetric((key) => exact[key] - merged[key]);
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));

/** Linear between order statistics, as numpy's default. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = at(sorted, below);
  return low + (place - below) * (at(sorted, Math.min(below + 1, sorted.length - 1)) - low);
}
