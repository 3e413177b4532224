/** What one method achieves on all OOD sets: figures, their uncertainty, and its comparison with another. */
import { at } from "../util/shape.ts";
import {
  aurocEstimate,
  averageIntervals,
  averageMetrics,
  bootstrapReplicates,
  delongTest,
  intervalsOf,
  metricsOfRanking,
  placements,
  riskCoverage,
  sortScores,
} from "./metrics/index.ts";
import type {
  BootstrapOptions,
  DelongTest,
  Interval,
  MetricKey,
  OodMetrics,
  Outcomes,
  Replicates,
  RiskCurve,
} from "./metrics/index.ts";
import type { Params } from "./score.ts";

/** Where an OOD set stands. A control, such as noise, is in no average. */
export type OodGroup = "near" | "far" | "control" | "other";

/** The risk that a score leaves when it decides which samples are answered. */
export interface SelectiveRisk {
  readonly aurc: number;
  readonly eaurc: number;
}

/** A method on one OOD set. */
export interface SetResult extends OodMetrics {
  readonly n: number;
  /** DeLong's standard error; null with a single sample on a side. */
  readonly auroc_se: number | null;
  /** Bootstrap intervals, where they were asked for. */
  readonly intervals?: Readonly<Record<MetricKey, Interval>>;
  /** This method against the reference, where one was named. */
  readonly delong?: DelongTest & { readonly reference: string };
  /** ID test and this set together, misclassified and OOD samples being errors; needs ID labels. */
  readonly selective?: SelectiveRisk;
}

/** A method's mean figures over a group of OOD sets. */
export interface GroupResult extends OodMetrics {
  /** Bootstrap intervals, where they were asked for and the ID set has at most 32,768 samples. */
  readonly intervals?: Readonly<Record<MetricKey, Interval>>;
}

/** A method's results over all OOD sets. */
export interface MethodResult {
  readonly params: Params;
  readonly sets: Readonly<Record<string, SetResult>>;
  /** Null where the group has no set. */
  readonly near: GroupResult | null;
  readonly far: GroupResult | null;
  /** Over all sets but controls. */
  readonly average: GroupResult | null;
  /** ID test alone, misclassified samples being errors; needs its labels. */
  readonly selective?: SelectiveRisk;
}

/** A method's scores by set. */
export interface Vectors {
  readonly id: Float64Array;
  readonly ood: Readonly<Record<string, Float64Array>>;
}

/** What a result is made of beside the scores. */
export interface ResultInput {
  readonly params: Params;
  readonly groups: Readonly<Record<string, OodGroup>>;
  /** Which ID test samples are predicted right; null if that is unknown. */
  readonly isRight: Outcomes | null;
  readonly bootstrap: BootstrapOptions | null;
}

/** All figures of a method, with its risk–coverage curve on the ID test set. */
export function methodResult(
  { id, ood }: Vectors,
  { params, groups, isRight, bootstrap }: ResultInput,
): { readonly result: MethodResult; readonly curve: RiskCurve | null } {
  const sorted = sortScores("ID", id);
  const sets: Record<string, SetResult> = {};
  const drawn = new Map<string, Replicates>();
  for (const [name, scores] of Object.entries(ood)) {
    const ranking = { id: sorted, ood: sortScores("OOD", scores) };
    const replicates = bootstrap && bootstrapReplicates(ranking, bootstrap, drawn.size);
    if (replicates) drawn.set(name, replicates);
    sets[name] = {
      ...metricsOfRanking(ranking),
      auroc_se: aurocEstimate(ranking).se,
      ...(replicates ? { intervals: intervalsOf(replicates, bootstrap) } : {}),
      n: scores.length,
      ...(isRight ? { selective: withErrors(id, isRight, scores) } : {}),
    };
  }
  const mean = (wanted: readonly OodGroup[]): GroupResult | null => {
    const members = Object.keys(sets).filter((name) => wanted.includes(groups[name] ?? "other"));
    if (members.length === 0) return null;
    const intervals =
      bootstrap &&
      averageIntervals(
        members.flatMap((name) => drawn.get(name) ?? []),
        bootstrap,
      );
    const figures = averageMetrics(members.flatMap((name) => sets[name] ?? []));
    return { ...figures, ...(intervals ? { intervals } : {}) };
  };
  const known = isRight ? riskCoverage(id, isRight) : null;
  const result: MethodResult = {
    params,
    sets,
    near: mean(["near"]),
    far: mean(["far"]),
    average: mean(["near", "far", "other"]),
    ...(known ? { selective: { aurc: known.aurc, eaurc: known.eaurc } } : {}),
  };
  return { result, curve: known?.curve ?? null };
}

/** Selective risk of both sets together; every OOD sample that is answered is an error. */
function withErrors(id: Float64Array, isRight: Outcomes, ood: Float64Array): SelectiveRisk {
  const scores = new Float64Array(id.length + ood.length);
  scores.set(id);
  scores.set(ood, id.length);
  const outcomes = new Uint8Array(scores.length);
  outcomes.set(isRight);
  const { aurc, eaurc } = riskCoverage(scores, outcomes);
  return { aurc, eaurc };
}

/**
 * The results with DeLong's test of every other method against a reference, set by set.
 * @param results - of methods whose score vectors, by method, are `vectors`
 */
export function againstReference(
  results: Readonly<Record<string, MethodResult>>,
  vectors: ReadonlyMap<string, Vectors>,
  reference: string,
): Record<string, MethodResult> {
  const compared = Object.fromEntries(
    Object.entries(results).map(([name, result]) => [
      name,
      { ...result, sets: { ...result.sets } },
    ]),
  );
  const known = vectors.get(reference);
  for (const [set, ood] of Object.entries(known?.ood ?? {})) {
    const own = placements({ id: known?.id ?? ood, ood });
    for (const [method, { id, ood: sets }] of vectors) {
      const result = compared[method];
      const figures = result?.sets[set];
      const scores = sets[set];
      if (method === reference || !result || !figures || !scores) continue;
      const test = delongTest(placements({ id, ood: scores }), own);
      result.sets[set] = { ...figures, delong: { reference, ...test } };
    }
  }
  return compared;
}

/** 1 where the prediction is the label. */
export const outcomesOf = (predicted: Int32Array, labels: Int32Array): Outcomes =>
  Uint8Array.from(predicted, (label, row) => (label === at(labels, row) ? 1 : 0));
