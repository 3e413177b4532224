/** Area under the precision–recall curve: by the trapezoid rule, as the references take it, or as average precision. */
import { idFirst, oodFirst } from "./thresholds.ts";
import type { Ranking, Steps } from "./thresholds.ts";

/** Which area is meant. */
export interface AuprOptions {
  /**
   * Σ_k (R_k − R_k−1) · P_k, a step function, instead of trapezoids between the points
   * (Davis and Goadrich, 2006: straight lines between them are too hopeful).
   */
  readonly averagePrecision?: boolean;
}

/** ID is positive; the curve starts at recall 0, precision 1. */
export const auprIn = (ranking: Ranking, options?: AuprOptions): number =>
  prArea(idFirst(ranking), options);

/** OOD is positive, ranked by the negated score. */
export const auprOut = (ranking: Ranking, options?: AuprOptions): number =>
  prArea(oodFirst(ranking), options);

/** The area under precision and recall of any thresholds. */
export function prArea(steps: Steps, { averagePrecision = false }: AuprOptions = {}): number {
  let area = 0;
  let recallBefore = 0;
  let precisionBefore = 1;
  steps.each((positives, negatives) => {
    const recall = positives / steps.positives;
    const precision = positives / (positives + negatives);
    const height = averagePrecision ? precision : (precision + precisionBefore) / 2;
    area += (recall - recallBefore) * height;
    recallBefore = recall;
    precisionBefore = precision;
    return positives < steps.positives;
  });
  return area;
}
