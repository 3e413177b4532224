/** The classifier itself on the ID test set: accuracy, calibration, and risk under each score. */
import type { FeatureSource } from "../io/index.ts";
import { outcomesOf } from "./methodResult.ts";
import { accuracy, calibration } from "./metrics/index.ts";
import type { ReliabilityBin, RiskCurve } from "./metrics/index.ts";
import type { SourceScores } from "./scoreSource.ts";

/** What is known of the classifier on the ID test set. */
export interface IdResult {
  readonly n: number;
  /** Null without labels or logits, as the following are. */
  readonly accuracy: number | null;
  /** Expected calibration error of max p: 15 bins of equal width, and of equal mass. */
  readonly ece: number | null;
  readonly ece_adaptive: number | null;
  /** The bins of equal width. */
  readonly reliability: readonly ReliabilityBin[] | null;
  /** Risk of each method at evenly spaced coverages. */
  readonly risk_coverage: {
    readonly coverage: readonly number[];
    readonly risk: Readonly<Record<string, readonly number[]>>;
  } | null;
}

const SIX_DIGITS = 1e6; // enough for a curve on paper

/** What labels and predictions say of the ID test set. */
export function idResult(
  { rows: n, labels }: FeatureSource,
  { predicted, confidence }: SourceScores,
  curves: Readonly<Record<string, RiskCurve>>,
): IdResult {
  if (!labels || !predicted || !confidence)
    return {
      n,
      accuracy: null,
      ece: null,
      ece_adaptive: null,
      reliability: null,
      risk_coverage: null,
    };
  const isRight = outcomesOf(predicted, labels);
  const { ece, bins } = calibration(confidence, isRight);
  const rounded = (values: Float64Array): number[] =>
    Array.from(values, (value) => Math.round(value * SIX_DIGITS) / SIX_DIGITS);
  const [first] = Object.values(curves);
  return {
    n,
    accuracy: accuracy(predicted, labels),
    ece,
    ece_adaptive: calibration(confidence, isRight, { by: "mass" }).ece,
    reliability: bins,
    risk_coverage: first
      ? {
          coverage: rounded(first.coverage),
          risk: Object.fromEntries(
            Object.entries(curves).map(([method, { risk }]) => [method, rounded(risk)]),
          ),
        }
      : null,
  };
}
