/** Area under the precision–recall curve by the trapezoid rule, as the references take it (not average precision). */
import { eachThreshold, swapSides } from "./thresholds.ts";
import type { Ranking } from "./thresholds.ts";

/** ID is positive; the curve starts at recall 0, precision 1. */
export function auprIn(ranking: Ranking): number {
  const positives = ranking.id.length;
  let area = 0;
  let recallBefore = 0;
  let precisionBefore = 1;
  eachThreshold(ranking, (_threshold, idCount, oodCount) => {
    const recall = idCount / positives;
    const precision = idCount / (idCount + oodCount);
    area += ((recall - recallBefore) * (precision + precisionBefore)) / 2;
    recallBefore = recall;
    precisionBefore = precision;
    return idCount < positives;
  });
  return area;
}

/** OOD is positive, ranked by the negated score. */
export function auprOut(ranking: Ranking): number {
  return auprIn(swapSides(ranking));
}
