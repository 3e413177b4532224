/** Metrics of scores: ranking, with intervals and tests; selective prediction; calibration. */
export { accuracy } from "./accuracy.ts";
export { auprIn, auprOut } from "./aupr.ts";
export type { AuprOptions } from "./aupr.ts";
export { auroc } from "./auroc.ts";
export {
  averageIntervals,
  bootstrapIntervals,
  bootstrapReplicates,
  intervalsOf,
  LEVEL,
  REPLICATES,
} from "./bootstrap.ts";
export type { BootstrapOptions, Interval, Replicates } from "./bootstrap.ts";
export { SampleDraws } from "./sampleDraws.ts";
export { calibration } from "./calibration.ts";
export type { Calibration, CalibrationOptions, ReliabilityBin } from "./calibration.ts";
export { rocCurve } from "./curve.ts";
export type { RocCurve } from "./curve.ts";
export { aurocEstimate, delongTest, placements } from "./delong.ts";
export type { AurocEstimate, DelongTest, MethodScores, Placements } from "./delong.ts";
export { fprAt95IdTpr, fprAt95OodTpr, thresholdAtRecall } from "./fpr.ts";
export { averageMetrics, everyMetric, metricsOfRanking, oodMetrics } from "./oodMetrics.ts";
export type { MetricKey, OodMetrics } from "./oodMetrics.ts";
export type { Outcomes } from "./outcomes.ts";
export { riskCoverage } from "./riskCoverage.ts";
export type { RiskCoverage, RiskCurve } from "./riskCoverage.ts";
export { rank, sortScores } from "./thresholds.ts";
export type { Ranking, Scores } from "./thresholds.ts";
