/**
 * Variance of AUROC without assumptions on the scores, and a test between two methods on the same
 * samples (DeLong, DeLong and Clarke-Pearson, 1988), in O(n log n) by mid-ranks (Sun and Xu, 2014).
 */
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { rocArea } from "./auroc.ts";
import { LEVEL } from "./bootstrap.ts";
import type { Interval } from "./bootstrap.ts";
import { twoSidedQuantile, twoSidedTail } from "./normal.ts";
import { idFirst, lowerBound, rank, upperBound } from "./thresholds.ts";
import type { Ranking, Scores } from "./thresholds.ts";

/** AUROC with what DeLong's variance says of it. */
export interface AurocEstimate {
  readonly auroc: number;
  /** Standard error; null with a single sample on a side, which shows no spread. */
  readonly se: number | null;
  /** auroc ± z · se within [0, 1]. It shrinks to a point as AUROC reaches 0 or 1. */
  readonly interval: Interval | null;
}

/** AUROC, its standard error and interval, from one walk over sorted scores. */
export function aurocEstimate(ranking: Ranking, level = LEVEL): AurocEstimate {
  const steps = idFirst(ranking);
  const { positives: ids, negatives: oods } = steps;
  const area = rocArea(steps);
  if (Math.min(ids, oods) < 2) return { auroc: area, se: null, interval: null };
  let [idSquares, oodSquares] = [0, 0];
  let [idBefore, oodBefore] = [0, 0];
  steps.each((id, ood) => {
    // Shares of the other side that these samples win against, ties half.
    const idWins = 1 - (oodBefore + ood) / (2 * oods);
    const oodLosses = (idBefore + id) / (2 * ids);
    idSquares += (id - idBefore) * (idWins - area) ** 2;
    oodSquares += (ood - oodBefore) * (oodLosses - area) ** 2;
    [idBefore, oodBefore] = [id, ood];
    return true;
  });
  const se = Math.sqrt(idSquares / (ids - 1) / ids + oodSquares / (oods - 1) / oods);
  return { auroc: area, se, interval: wald(area, se, { level, low: 0 }) };
}

/** Scores of one method on both sides; the samples stand in the same order for every method. */
export interface MethodScores {
  readonly id: Scores;
  readonly ood: Scores;
}

/** Each sample's doubled number of wins against the other side, a tie being one: whole numbers. */
export interface Placements {
  readonly id: Float64Array;
  readonly ood: Float64Array;
}

/**
 * The placements of a method, by samples. They are differences of mid-ranks in the pooled and in the
 * own sample; counting in the other side's sorted scores gives them without an order to keep.
 * @throws DataError if a side is empty or holds NaN or Inf.
 */
export function placements({ id, ood }: MethodScores): Placements {
  const sorted = rank(id, ood);
  const below = (side: Float64Array) => (score: number) => {
    const first = lowerBound(side, score);
    return first + (side[first] === score ? upperBound(side, score, first) : first);
  };
  const belowOod = below(sorted.ood);
  const belowId = below(sorted.id);
  return {
    id: mapped(id, belowOod),
    ood: mapped(ood, (score) => 2 * id.length - belowId(score)),
  };
}

function mapped(scores: Scores, of: (score: number) => number): Float64Array {
  const values = new Float64Array(scores.length);
  for (let index = 0; index < scores.length; index++) values[index] = of(at(scores, index));
  return values;
}

/** Whether two methods' AUROCs on the same samples differ by more than chance. */
export interface DelongTest {
  /** AUROC of the first minus that of the second. */
  readonly difference: number;
  readonly interval: Interval | null;
  /** Null where the variance cannot be told: one sample on a side, or none at all while they differ. */
  readonly z: number | null;
  /** Two-sided. */
  readonly p: number | null;
}

/**
 * DeLong's test of two methods by their placements.
 * @throws DataError if they are not of the same samples.
 */
export function delongTest(a: Placements, b: Placements, level = LEVEL): DelongTest {
  const [ids, oods] = [a.id.length, a.ood.length];
  if (b.id.length !== ids || b.ood.length !== oods)
    throw new DataError(
      `DeLong's test needs both methods on the same samples; got ${ids} and ${b.id.length} of ID, ${oods} and ${b.ood.length} of OOD`,
    );
  const pairs = 2 * ids * oods;
  const onId = spread(a.id, b.id);
  const difference = onId.sum / pairs;
  if (Math.min(ids, oods) < 2) return { difference, interval: null, z: null, p: null };
  const onOod = spread(a.ood, b.ood);
  // Var = S_id/n_id + S_ood/n_ood; placements are shares times twice the other side's size.
  const variance =
    onId.squares / (4 * oods ** 2 * (ids - 1) * ids) +
    onOod.squares / (4 * ids ** 2 * (oods - 1) * oods);
  const se = Math.sqrt(variance);
  const interval = wald(difference, se, { level, low: -1 });
  if (se === 0) {
    const isEqual = difference === 0;
    return { difference, interval, z: isEqual ? 0 : null, p: isEqual ? 1 : null };
  }
  const z = difference / se;
  return { difference, interval, z, p: twoSidedTail(z) };
}

/** Sum and squared deviations of a − b; exact sums, since the values are whole. */
function spread(a: Float64Array, b: Float64Array): { sum: number; squares: number } {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += at(a, index) - at(b, index);
  const mean = sum / a.length;
  let squares = 0;
  for (let index = 0; index < a.length; index++)
    squares += (at(a, index) - at(b, index) - mean) ** 2;
  return { sum, squares };
}

function wald(
  centre: number,
  se: number,
  { level, low }: { level: number; low: number },
): Interval {
  const reach = twoSidedQuantile(level) * se;
  return [Math.max(low, centre - reach), Math.min(1, centre + reach)];
}
