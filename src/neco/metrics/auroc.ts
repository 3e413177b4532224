/** Area under the ROC curve, exact with ties. */
import { idFirst } from "./thresholds.ts";
import type { Ranking, Steps } from "./thresholds.ts";

/** P(score of ID &gt; score of OOD) + ½ P(equal); the same whichever side is called positive. */
export const auroc = (ranking: Ranking): number => rocArea(idFirst(ranking));

/** {@link auroc} of any thresholds. */
export function rocArea(steps: Steps): number {
  // Twice the number of pairs in order: whole numbers, exact up to 2⁵³.
  let doubled = 0;
  let positivesBefore = 0;
  let negativesBefore = 0;
  steps.each((positives, negatives) => {
    doubled += (negatives - negativesBefore) * (positivesBefore + positives);
    positivesBefore = positives;
    negativesBefore = negatives;
    return true;
  });
  return doubled / (2 * steps.positives * steps.negatives);
}
