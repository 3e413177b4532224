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
 * Sorts both sides once, so that every metric after it takes linear time.
 * @throws DataError if a side is empty or holds NaN or Inf.
 */
export function rank(id: Scores, ood: Scores): Ranking {
  return { id: sorted("ID", id), ood: sorted("OOD", ood) };
}

/** Both sides swapped and negated: OOD becomes the positive class. */
export function swapSides({ id, ood }: Ranking): Ranking {
  return { id: negated(ood), ood: negated(id) };
}

/**
 * Visits each distinct score, highest first, with the number of ID and OOD samples at or above it.
 * Stops early when `visit` returns false.
 */
export function eachThreshold(
  { id, ood }: Ranking,
  visit: (threshold: number, idCount: number, oodCount: number) => boolean,
): void {
  let i = id.length - 1;
  let j = ood.length - 1;
  while (i >= 0 || j >= 0) {
    const threshold = Math.max(id[i] ?? -Infinity, ood[j] ?? -Infinity);
    while (i >= 0 && id[i] === threshold) i--;
    while (j >= 0 && ood[j] === threshold) j--;
    if (!visit(threshold, id.length - 1 - i, ood.length - 1 - j)) return;
  }
}

function sorted(side: string, scores: Scores): Float64Array {
  if (scores.length === 0)
    throw new DataError(`the ${side} set is empty: pass at least one ${side} sample`);
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0)
    throw new DataError(
      `${Array.from(scores).filter((score) => !Number.isFinite(score)).length} of ${scores.length} ${side} scores are NaN or infinite, the first at index ${bad}: check the features`,
    );
  return Float64Array.from(scores).sort();
}

function negated(ascending: Float64Array): Float64Array {
  return ascending.map((score) => -score).reverse();
}
