/** The metrics of one ID set against one OOD set. */
import { auprIn, auprOut } from "./aupr.ts";
import { auroc } from "./auroc.ts";
import { fprAt95IdTpr, fprAt95OodTpr } from "./fpr.ts";
import { rank } from "./thresholds.ts";
import type { Scores } from "./thresholds.ts";

export { accuracy } from "./accuracy.ts";
export { auprIn, auprOut } from "./aupr.ts";
export { auroc } from "./auroc.ts";
export { rocCurve } from "./curve.ts";
export type { RocCurve } from "./curve.ts";
export { fprAt95IdTpr, fprAt95OodTpr, thresholdAtRecall } from "./fpr.ts";
export { rank } from "./thresholds.ts";
export type { Ranking, Scores } from "./thresholds.ts";

/** The five figures of `neco ood --json`, fractions in [0, 1]. */
export interface OodMetrics {
  readonly auroc: number;
  /** Share of OOD kept at 95 % ID recall (NECO, ViM). */
  readonly fpr_at_95_id_tpr: number;
  /** Share of ID flagged at 95 % OOD recall (OpenOOD, pytorch-ood). */
  readonly fpr_at_95_ood_tpr: number;
  readonly aupr_in: number;
  readonly aupr_out: number;
}

/**
 * All ranking metrics of ID scores against OOD scores, higher = more in-distribution.
 * @throws DataError if a side is empty or holds NaN or Inf.
 */
export function oodMetrics(id: Scores, ood: Scores): OodMetrics {
  const ranking = rank(id, ood);
  return {
    auroc: auroc(ranking),
    fpr_at_95_id_tpr: fprAt95IdTpr(ranking),
    fpr_at_95_ood_tpr: fprAt95OodTpr(ranking),
    aupr_in: auprIn(ranking),
    aupr_out: auprOut(ranking),
  };
}

/**
 * Unweighted mean over OOD sets, as the papers average.
 * @throws RangeError if the list is empty.
 */
export function averageMetrics(sets: readonly OodMetrics[]): OodMetrics {
  if (sets.length === 0) throw new RangeError("averageMetrics: no sets");
  const mean = (of: (metrics: OodMetrics) => number): number =>
    sets.reduce((total, metrics) => total + of(metrics), 0) / sets.length;
  return {
    auroc: mean((metrics) => metrics.auroc),
    fpr_at_95_id_tpr: mean((metrics) => metrics.fpr_at_95_id_tpr),
    fpr_at_95_ood_tpr: mean((metrics) => metrics.fpr_at_95_ood_tpr),
    aupr_in: mean((metrics) => metrics.aupr_in),
    aupr_out: mean((metrics) => metrics.aupr_out),
  };
}
