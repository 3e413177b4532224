/** The two figures that the literature calls "FPR95"; they differ, so neither bears that name here. */
import { at } from "../../util/shape.ts";
import { idFirst, oodFirst } from "./thresholds.ts";
import type { Ranking, Steps } from "./thresholds.ts";

/** The recall that both figures are read at. */
export const RECALL = 0.95;

/** ⌊recall · n⌋, and 1 where that is 0: one ID sample alone is its own threshold. */
const keptAtRecall = (samples: number, recall = RECALL): number =>
  Math.max(1, Math.floor(recall * samples));

/**
 * The score that ⌊recall · n⌋ of the ID samples reach: the r-th largest, r ≥ 1 (NECO, ViM).
 * A sample is judged in-distribution when its score is at or above it.
 */
export const thresholdAtRecall = (idAscending: Float64Array, recall = RECALL): number =>
  at(idAscending, idAscending.length - keptAtRecall(idAscending.length, recall));

/** Share of OOD samples kept when ⌊0.95 · n⌋ ID samples are kept (NECO, ViM). */
export const fprAt95IdTpr = (ranking: Ranking): number => oodKept(idFirst(ranking));

/** {@link fprAt95IdTpr} of any thresholds, ID positive. */
export function oodKept(steps: Steps): number {
  const due = keptAtRecall(steps.positives);
  return negativesWhen(steps, (positives) => positives >= due);
}

/** Share of ID samples flagged when at least 95 % of OOD samples are flagged (OpenOOD, pytorch-ood). */
export const fprAt95OodTpr = (ranking: Ranking): number => idFlagged(oodFirst(ranking));

/** {@link fprAt95OodTpr} of any thresholds, OOD positive. */
export const idFlagged = (steps: Steps): number =>
  negativesWhen(steps, (positives) => positives / steps.positives >= RECALL);

/** Share of the negatives at the first threshold with enough positives. */
function negativesWhen(steps: Steps, isEnough: (positives: number) => boolean): number {
  let share = 1;
  steps.each((positives, negatives) => {
    share = negatives / steps.negatives;
    return !isEnough(positives);
  });
  return share;
}
