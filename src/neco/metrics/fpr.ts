/** The two figures that the literature calls "FPR95"; they differ, so neither bears that name here. */
import { at } from "../../util/shape.ts";
import { eachThreshold, swapSides } from "./thresholds.ts";
import type { Ranking } from "./thresholds.ts";

const RECALL = 0.95;

/**
 * The score that ⌊recall · n⌋ of the ID samples reach: the r-th largest, r ≥ 1 (NECO, ViM).
 * A sample is judged in-distribution when its score is at or above it.
 */
export function thresholdAtRecall(idAscending: Float64Array, recall = RECALL): number {
  const kept = Math.floor(recall * idAscending.length);
  // One ID sample alone: ⌊0.95⌋ = 0, and the threshold is that sample.
  return kept === 0 ? at(idAscending, 0) : at(idAscending, idAscending.length - kept);
}

/** Share of OOD samples kept when ⌊0.95 · n⌋ ID samples are kept (NECO, ViM). */
export function fprAt95IdTpr({ id, ood }: Ranking): number {
  const threshold = thresholdAtRecall(id);
  return (ood.length - lowerBound(ood, threshold)) / ood.length;
}

/** Share of ID samples flagged when at least 95 % of OOD samples are flagged (OpenOOD, pytorch-ood). */
export function fprAt95OodTpr(ranking: Ranking): number {
  const { id, ood } = ranking;
  let flagged = id.length;
  // Sides swapped: counts are of samples at or below a score, lowest score first.
  eachThreshold(swapSides(ranking), (_threshold, oodCount, idCount) => {
    flagged = idCount;
    return oodCount / ood.length < RECALL;
  });
  return flagged / id.length;
}

/** First index whose value is not below the bound. */
function lowerBound(ascending: Float64Array, bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(ascending, middle) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
