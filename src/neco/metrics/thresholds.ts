/** Walks two score lists threshold by threshold, ties merged: the ground all ranking metrics share. */
import { DataError } from "../../util/errors.ts";

/** A list of scores, higher = more in-distribution. */
export type Scores = Float64Array | Float32Array;

/** Scores of both sides, each ascending. */
export interface Ranking {
  readonly id: Float64Array;
  readonly ood: Float64Array;
}

/**
 * The thresholds of a ranking, the best score of the positive side first. Metrics are functions of
 * these counts alone, so resampled counts need no metrics of their own.
 */
export interface Steps {
  readonly positives: number;
  readonly negatives: number;
  /** Visits each threshold with the samples at or beyond it; stops when `visit` returns false. */
  each(visit: (positives: number, negatives: number) => boolean): void;
}

/** Thresholds of scores at hand: each comes with its score. */
export interface ScoreSteps extends Steps {
  each(visit: (positives: number, negatives: number, threshold: number) => boolean): void;
}

/**
 * Sorts both sides once, so that every metric after it takes linear time.
 * @throws DataError if a side is empty or holds NaN or Inf.
 */
export function rank(id: Scores, ood: Scores): Ranking {
  return { id: sortScores("ID", id), ood: sortScores("OOD", ood) };
}

/**
 * The scores of one side, ascending.
 * @throws DataError if there are none, or some are NaN or Inf.
 */
export function sortScores(side: string, scores: Scores): Float64Array {
  if (scores.length === 0)
    throw new DataError(`the ${side} set is empty: pass at least one ${side} sample`);
  const first = scores.findIndex((score) => !Number.isFinite(score));
  if (first >= 0) {
    let bad = 0;
    for (const score of scores) if (!Number.isFinite(score)) bad++;
    throw new DataError(
      `${bad} of ${scores.length} ${side} scores are NaN or infinite, the first at index ${first}: check the features`,
    );
  }
  return new Float64Array(scores).sort();
}

/** Highest score first; ID is positive. */
export const idFirst = ({ id, ood }: Ranking): ScoreSteps => ({
  positives: id.length,
  negatives: ood.length,
  each(visit) {
    let i = id.length - 1;
    let j = ood.length - 1;
    while (i >= 0 || j >= 0) {
      const threshold = Math.max(id[i] ?? -Infinity, ood[j] ?? -Infinity);
      while (i >= 0 && id[i] === threshold) i--;
      while (j >= 0 && ood[j] === threshold) j--;
      if (!visit(id.length - 1 - i, ood.length - 1 - j, threshold)) return;
    }
  },
});

/** Lowest score first; OOD is positive. */
export const oodFirst = ({ id, ood }: Ranking): ScoreSteps => ({
  positives: ood.length,
  negatives: id.length,
  each(visit) {
    let i = 0;
    let j = 0;
    while (i < id.length || j < ood.length) {
      const threshold = Math.min(id[i] ?? Infinity, ood[j] ?? Infinity);
      while (i < id.length && id[i] === threshold) i++;
      while (j < ood.length && ood[j] === threshold) j++;
      if (!visit(j, i, threshold)) return;
    }
  },
});

/** First index whose value is not below the bound. */
export function lowerBound(ascending: Float64Array, bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index from `start` on whose value is above the bound. */
export function upperBound(ascending: Float64Array, bound: number, start = 0): number {
  let low = start;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
