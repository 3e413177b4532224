/** The figures of one ID set against one OOD set, all at once. */
import { prArea } from "./aupr.ts";
import { rocArea } from "./auroc.ts";
import { idFlagged, oodKept } from "./fpr.ts";
import { idFirst, oodFirst, rank } from "./thresholds.ts";
import type { Ranking, Scores, Steps } from "./thresholds.ts";

/** The figures of `neco ood --json`, fractions in [0, 1]. */
export interface OodMetrics {
  readonly auroc: number;
  /** Share of OOD kept at 95 % ID recall (NECO, ViM). */
  readonly fpr_at_95_id_tpr: number;
  /** Share of ID flagged at 95 % OOD recall (OpenOOD, pytorch-ood). */
  readonly fpr_at_95_ood_tpr: number;
  /** Trapezoids, as the references take them. */
  readonly aupr_in: number;
  readonly aupr_out: number;
  /** Average precision: a step function where `aupr_*` draws straight lines. */
  readonly ap_in: number;
  readonly ap_out: number;
}

/** The name of a figure. */
export type MetricKey = keyof OodMetrics;

/** One value for every figure. */
export const everyMetric = <T>(of: (key: MetricKey) => T): Record<MetricKey, T> => ({
  auroc: of("auroc"),
  fpr_at_95_id_tpr: of("fpr_at_95_id_tpr"),
  fpr_at_95_ood_tpr: of("fpr_at_95_ood_tpr"),
  aupr_in: of("aupr_in"),
  aupr_out: of("aupr_out"),
  ap_in: of("ap_in"),
  ap_out: of("ap_out"),
});

/** The thresholds of a ranking from both ends. */
export interface BothWays {
  readonly idFirst: Steps;
  readonly oodFirst: Steps;
}

const AVERAGE = { averagePrecision: true };

const FIGURES: Readonly<Record<MetricKey, (steps: BothWays) => number>> = {
  auroc: (steps) => rocArea(steps.idFirst),
  fpr_at_95_id_tpr: (steps) => oodKept(steps.idFirst),
  fpr_at_95_ood_tpr: (steps) => idFlagged(steps.oodFirst),
  aupr_in: (steps) => prArea(steps.idFirst),
  aupr_out: (steps) => prArea(steps.oodFirst),
  ap_in: (steps) => prArea(steps.idFirst, AVERAGE),
  ap_out: (steps) => prArea(steps.oodFirst, AVERAGE),
};

/** All figures of thresholds seen from both ends. */
export const metricsOfSteps = (steps: BothWays): OodMetrics =>
  everyMetric((key) => FIGURES[key](steps));

/** All figures of sorted scores. */
export const metricsOfRanking = (ranking: Ranking): OodMetrics =>
  metricsOfSteps({ idFirst: idFirst(ranking), oodFirst: oodFirst(ranking) });

/**
 * All ranking metrics of ID scores against OOD scores, higher = more in-distribution.
 * @throws DataError if a side is empty or holds NaN or Inf.
 */
export const oodMetrics = (id: Scores, ood: Scores): OodMetrics => metricsOfRanking(rank(id, ood));

/**
 * Unweighted mean over OOD sets, as the papers average.
 * @throws RangeError if the list is empty.
 */
export function averageMetrics(sets: readonly OodMetrics[]): OodMetrics {
  if (sets.length === 0) throw new RangeError("averageMetrics: no sets");
  return everyMetric(
    (key) => sets.reduce((total, metrics) => total + metrics[key], 0) / sets.length,
  );
}
