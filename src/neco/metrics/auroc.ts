/** Area under the ROC curve, exact with ties. */
import { eachThreshold } from "./thresholds.ts";
import type { Ranking } from "./thresholds.ts";

/** P(score of ID &gt; score of OOD) + ½ P(equal); the same whichever side is called positive. */
export function auroc(ranking: Ranking): number {
  const pairs = ranking.id.length * ranking.ood.length;
  // Twice the number of pairs in order: whole numbers, exact up to 2⁵³.
  let doubled = 0;
  let idBefore = 0;
  let oodBefore = 0;
  eachThreshold(ranking, (_threshold, idCount, oodCount) => {
    doubled += (oodCount - oodBefore) * (idBefore + idCount);
    idBefore = idCount;
    oodBefore = oodCount;
    return true;
  });
  return doubled / (2 * pairs);
}
