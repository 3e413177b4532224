/** Points of the ROC curve, for plots. */
import { at } from "../../util/shape.ts";
import { eachThreshold } from "./thresholds.ts";
import type { Ranking } from "./thresholds.ts";

/** ROC points, ID positive, from (0, 0) to (1, 1). */
export interface RocCurve {
  /** Share of OOD samples at or above the threshold. */
  readonly fpr: Float64Array;
  /** Share of ID samples at or above the threshold. */
  readonly tpr: Float64Array;
}

/**
 * The ROC curve, thinned to about `maxPoints` evenly spread thresholds when it has more;
 * the end points always stay. Metrics are never computed from it.
 */
export function rocCurve(ranking: Ranking, maxPoints = 512): RocCurve {
  const fpr = [0];
  const tpr = [0];
  eachThreshold(ranking, (_threshold, idCount, oodCount) => {
    fpr.push(oodCount / ranking.ood.length);
    tpr.push(idCount / ranking.id.length);
    return true;
  });
  const count = Math.min(fpr.length, Math.max(2, maxPoints));
  const pick = (values: readonly number[]): Float64Array =>
    Float64Array.from({ length: count }, (_, point) =>
      at(values, Math.round((point * (values.length - 1)) / (count - 1))),
    );
  return { fpr: pick(fpr), tpr: pick(tpr) };
}
