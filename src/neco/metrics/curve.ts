/** Points of the ROC curve, for plots. */
import { at } from "../../util/shape.ts";
import { idFirst } from "./thresholds.ts";
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
  const steps = idFirst(ranking);
  let total = 1;
  steps.each(() => {
    total++;
    return true;
  });
  const count = Math.min(total, Math.max(2, maxPoints));
  const wanted = Float64Array.from({ length: count }, (_, point) =>
    Math.round((point * (total - 1)) / (count - 1)),
  );
  const [fpr, tpr] = [new Float64Array(count), new Float64Array(count)];
  let threshold = 1;
  let point = 1; // point 0 is (0, 0)
  steps.each((positives, negatives) => {
    if (threshold++ === at(wanted, point)) {
      tpr[point] = positives / steps.positives;
      fpr[point] = negatives / steps.negatives;
      point++;
    }
    return point < count;
  });
  return { fpr, tpr };
}
