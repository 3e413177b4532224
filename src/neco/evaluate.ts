/** Evaluates all methods on all OOD sets, one pass per set, into the JSON of `neco ood`. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { assertConsistent, fitScores } from "./fit.ts";
import type { FittedScore } from "./fit.ts";
import type { ImageModel } from "./imageModel.ts";
import { accuracy, averageMetrics, oodMetrics } from "./metrics/index.ts";
import type { OodMetrics } from "./metrics/index.ts";
import type { TrainStatistics } from "./moments.ts";
import { scoreOptions } from "./options.ts";
import type { ScoreOptions } from "./options.ts";
import { chooseScores, scores as builtIn } from "./registry.ts";
import { needsImages } from "./score.ts";
import type { Params, Score } from "./score.ts";
import type { ScoreCache } from "./scoreCache.ts";
import { scoreSource } from "./scoreSource.ts";
import type { Progress, SourceScores } from "./scoreSource.ts";

/** Where an OOD set stands. A control, such as noise, is in no average. */
export type OodGroup = "near" | "far" | "control" | "other";

/** An OOD set to evaluate on. */
export interface OodSet {
  readonly source: FeatureSource;
  readonly group: OodGroup;
}

/** What {@link evaluateOod} takes. */
export interface EvaluateInput {
  readonly engine: Engine;
  readonly train: FeatureSource;
  /** ID test features. */
  readonly id: FeatureSource;
  readonly head: Head | null;
  readonly ood: readonly OodSet[];
  readonly methods?: "all" | readonly string[];
  readonly options?: Partial<ScoreOptions>;
  /** Scores to choose from; the built-in ones by default, or with one's own added. */
  readonly scores?: readonly Score[];
  /** The network, for scores that need images; without it they are skipped. */
  readonly model?: ImageModel | null | undefined;
  /** ID validation samples, for scores that calibrate on them. */
  readonly validation?: FeatureSource | null | undefined;
  /** Keeps what took a look into the network. */
  readonly cache?: ScoreCache | null | undefined;
  readonly onProgress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A method's results over all OOD sets. */
export interface MethodResult {
  readonly params: Params;
  readonly sets: Readonly<Record<string, OodMetrics & { readonly n: number }>>;
  /** Null where the group has no set. */
  readonly near: OodMetrics | null;
  readonly far: OodMetrics | null;
  /** Over all sets but controls. */
  readonly average: OodMetrics | null;
}

/** Any value of a configuration. */
export type ConfigValue = string | number | boolean | null | Readonly<Record<string, string>>;

/** `neco ood --json`. */
export interface OodJson {
  readonly schema: "neco-webgpu/ood@1";
  readonly adapter: string;
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly id: { readonly n: number; readonly accuracy: number | null };
  readonly results: Readonly<Record<string, MethodResult>>;
  readonly skipped: Readonly<Record<string, string>>;
}

/** Results, raw scores, and what the reader must be told. */
export interface Evaluation {
  readonly json: OodJson;
  /** `METHOD/id` and `METHOD/OODNAME`, higher = more in-distribution. */
  readonly scores: Readonly<Record<string, Float64Array>>;
  readonly warnings: readonly string[];
  readonly fitted: readonly FittedScore[];
  /** Moments of the training features, for figures such as the PCA scatter. */
  readonly train: TrainStatistics;
}

/**
 * Fits the methods on ID training features and measures them on every OOD set.
 * @throws DataError if a set is empty, has another number of columns, or holds NaN or Inf.
 * @throws UsageError if there is no OOD set, a name comes twice, or a method is unknown.
 */
export async function evaluateOod(input: EvaluateInput): Promise<Evaluation> {
  const { engine, train, id, head, ood, model, validation, cache, signal, onProgress } = input;
  const options = scoreOptions(input.options);
  const chosen = chooseScores(input.methods ?? "all", input.scores ?? builtIn);
  assertSets(input);
  const blind = blindScores(input, chosen);
  const scoresToFit = chosen.filter(({ name }) => blind[name] === undefined);
  const shared = { engine, head, model, cache, signal, onProgress };
  const fit = await fitScores({ ...shared, train, validation, scores: scoresToFit, options });
  const pass = { ...shared, fitted: fit.fitted };
  const known = await scoreSource({ ...pass, source: id });
  const unknown = new Map<string, SourceScores>();
  for (const { source } of ood) unknown.set(source.name, await scoreSource({ ...pass, source }));
  const results: Record<string, MethodResult> = {};
  const scores: Record<string, Float64Array> = {};
  const skipped: Record<string, string> = { ...blind, ...fit.skipped };
  for (const { score, state } of fit.fitted) {
    const vectors = vectorsOf(score.name, known, unknown);
    const bad = firstBad(vectors);
    if (bad) skipped[score.name] = bad;
    else {
      for (const [set, values] of vectors) scores[`${score.name}/${set}`] = values;
      results[score.name] = methodResult(vectors, state.params, ood);
    }
  }
  const warnings = [
    ...fit.fitted.flatMap(({ state }) => state.warnings),
    ...[known, ...unknown.values()].flatMap((set) => set.warnings),
  ];
  const json: OodJson = {
    schema: "neco-webgpu/ood@1",
    adapter: engine.adapter.description,
    config: configOf(input, options),
    id: { n: id.rows, accuracy: accuracyOf(id, known.predicted) },
    results,
    skipped,
  };
  return {
    json,
    scores,
    warnings: [...new Set(warnings)],
    fitted: fit.fitted,
    train: fit.train,
  };
}

/** Key of the ID scores among a method's vectors. */
const ID = "id";

function assertSets({ train, id, head, ood }: EvaluateInput): void {
  if (ood.length === 0) throw new UsageError("no OOD set: pass at least one with --ood NAME=FILE");
  if (id.rows === 0) throw new DataError(`${id.name} is empty: pass ID test features`);
  const names = new Set([ID]);
  for (const { source } of ood) {
    if (names.has(source.name))
      throw new UsageError(`OOD set "${source.name}" comes twice or is a reserved name: rename it`);
    names.add(source.name);
    if (source.rows === 0)
      throw new DataError(
        `OOD set ${source.name} is empty: pass at least one sample, or leave it out`,
      );
  }
  for (const source of [id, ...ood.map((set) => set.source)])
    if (source.dim !== train.dim)
      throw new DataError(
        `${source.name} has ${source.dim} feature columns, the training features ${train.dim}: extract both with the same model`,
      );
  assertConsistent(id, head);
}

/** Scores that look at images, where a set has none: why they are skipped. */
function blindScores(
  { model, id, ood }: EvaluateInput,
  chosen: readonly Score[],
): Readonly<Record<string, string>> {
  const without = [id, ...ood.map(({ source }) => source)].find(({ images }) => !images);
  if (!model || !without) return {};
  const reason = `needs images, and ${without.name} is a set of features`;
  return Object.fromEntries(chosen.filter(needsImages).map(({ name }) => [name, reason]));
}

/** A method's scores by set: `id` first, then the OOD sets. */
function vectorsOf(
  method: string,
  known: SourceScores,
  unknown: ReadonlyMap<string, SourceScores>,
): [string, Float64Array][] {
  const of = ({ scores }: SourceScores): Float64Array => scores.get(method) ?? new Float64Array();
  return [
    [ID, of(known)],
    ...[...unknown].map(([name, set]): [string, Float64Array] => [name, of(set)]),
  ];
}

/** Why a method's scores cannot be ranked, if so. */
function firstBad(vectors: readonly (readonly [string, Float64Array])[]): string | null {
  for (const [set, values] of vectors) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) return `its score of row ${bad} of ${set} is not finite`;
  }
  return null;
}

function methodResult(
  vectors: readonly (readonly [string, Float64Array])[],
  params: Params,
  ood: readonly OodSet[],
): MethodResult {
  const [known, ...rest] = vectors;
  const own = known?.[1] ?? new Float64Array();
  const measured = rest.map(
    ([name, values]) => [name, { ...oodMetrics(own, values), n: values.length }] as const,
  );
  const sets = Object.fromEntries(measured);
  const mean = (groups: readonly OodGroup[]): OodMetrics | null => {
    const members = ood.flatMap(({ source, group }) => {
      const metrics = sets[source.name];
      return groups.includes(group) && metrics ? [metrics] : [];
    });
    return members.length > 0 ? averageMetrics(members) : null;
  };
  return {
    params,
    sets,
    near: mean(["near"]),
    far: mean(["far"]),
    average: mean(["near", "far", "other"]),
  };
}

function accuracyOf({ labels }: FeatureSource, predicted: Int32Array | null): number | null {
  return labels && predicted ? accuracy(predicted, labels) : null;
}

/** What a reader needs to repeat the numbers. */
function configOf({ train, id, ood }: EvaluateInput, options: ScoreOptions): OodJson["config"] {
  return {
    preset: options.preset,
    neco_dim: options.necoDim,
    neco_mode: options.necoMode,
    neco_denominator: options.necoDenominator,
    neco_max_logit: options.necoMaxLogit,
    principal_dim: options.principalDim,
    rcond: options.rcond,
    id_train: train.name,
    id_train_n: train.rows,
    id_test: id.name,
    feature_dim: train.dim,
    groups: Object.fromEntries(ood.map(({ source, group }) => [source.name, group])),
    fpr_at_95_id_tpr: "share of OOD kept at 95 % ID recall (NECO, ViM)",
    fpr_at_95_ood_tpr: "share of ID flagged at 95 % OOD recall (OpenOOD, pytorch-ood)",
  };
}
