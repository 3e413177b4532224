/** Evaluates all methods on all OOD sets, one pass per set, into the JSON of `neco ood`. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { UsageError } from "../util/errors.ts";
import { assertFit, assertNames } from "./checkSets.ts";
import { assertConsistent, fitScores } from "./fit.ts";
import type { FitResult, FittedScore } from "./fit.ts";
import { idResult } from "./idResult.ts";
import type { IdResult } from "./idResult.ts";
import type { ImageModel } from "./imageModel.ts";
import { columnsOf, ID, measure } from "./measure.ts";
import type { MeasureOptions, Scored } from "./measure.ts";
import { againstReference } from "./methodResult.ts";
import type { MethodResult, OodGroup } from "./methodResult.ts";
import { LEVEL, REPLICATES } from "./metrics/index.ts";
import type { BootstrapOptions } from "./metrics/index.ts";
import type { TrainStatistics } from "./moments.ts";
import { ALONE } from "./peers.ts";
import { scoreOptions } from "./options.ts";
import type { ScoreOptions } from "./options.ts";
import { chooseScores, findScore, scores as builtIn } from "./registry.ts";
import { sameSetWarnings } from "./sameRows.ts";
import { needsImages, needsPeers } from "./score.ts";
import type { Score } from "./score.ts";
import type { ScoreCache } from "./scoreCache.ts";
import { scoreSource } from "./scoreSource.ts";
import { noStopwatch } from "./stopwatch.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { Progress, SourceScores } from "./scoreSource.ts";
import { trainWarnings } from "./trainWarnings.ts";

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
  /** Draws bootstrap intervals of every figure; none by default. */
  readonly bootstrap?: BootstrapOptions | undefined;
  /** The method that DeLong's test holds all others against; none by default. */
  readonly delong?: string | undefined;
  /** Keeps what took a look into the network. */
  readonly cache?: ScoreCache | null | undefined;
  /** Told of every piece of work, to measure where time goes. */
  readonly time?: Stopwatch | undefined;
  readonly onProgress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Any value of a configuration. */
export type ConfigValue = string | number | boolean | null | Readonly<Record<string, string>>;

/** `neco ood --json`. */
export interface OodJson {
  readonly schema: "neco-webgpu/ood@1";
  readonly adapter: string;
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly id: IdResult;
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
 * Fits the methods on ID training features and measures them on every OOD set. Where all are asked
 * for, one that cannot be fitted to so few samples, or of so low a rank, is skipped with the reason.
 * @throws DataError if a set is empty, has another number of columns, or holds NaN or Inf.
 * @throws UsageError if there is no OOD set, a name comes twice, or a method is unknown.
 */
export async function evaluateOod(input: EvaluateInput): Promise<Evaluation> {
  const { engine, train, id, head, ood, model, validation, cache, signal, onProgress } = input;
  const time = input.time ?? noStopwatch;
  const options = scoreOptions(input.options);
  const known = input.scores ?? builtIn;
  const chosen = chooseScores(input.methods ?? "all", known);
  const reference = referenceOf(input.delong, chosen, known);
  assertSets(input);
  const blind = blindScores(input, chosen);
  const scoresToFit = chosen.filter(({ name }) => blind[name] === undefined);
  const shared = { engine, head, model, cache, signal, onProgress, time };
  const toFit = { train, validation, options, skipUnfit: (input.methods ?? "all") === "all" };
  const fit = await fitScores({ ...shared, ...toFit, scores: scoresToFit });
  const pass = { ...shared, fitted: fit.fitted };
  const scored: Scored = {
    id: await scoreSource({ ...pass, source: id }),
    ood: new Map<string, SourceScores>(),
  };
  for (const { source } of ood) scored.ood.set(source.name, await scoreSource({ ...pass, source }));
  const figures = figuresOf(input);
  const measured = await time("measure", "all", () =>
    Promise.resolve(measure(scored, fit.fitted, figures)),
  );
  const sets = [train, id, ...ood.map(({ source }) => source)];
  const warnings = [
    ...(await time("compare sets", "all", () => sameSetWarnings(sets))),
    ...dataWarnings(fit, scored, head?.classes ?? train.classes),
    ...(reference === null || measured.vectors.has(reference)
      ? []
      : [`no DeLong tests: their reference ${reference} was skipped`]),
  ];
  const json: OodJson = {
    schema: "neco-webgpu/ood@1",
    adapter: engine.adapter.description,
    config: configOf(input, options),
    id: idResult(id, scored.id, measured.curves),
    results:
      reference === null
        ? measured.results
        : againstReference(measured.results, measured.vectors, reference),
    skipped: { ...blind, ...fit.skipped, ...measured.skipped },
  };
  const scores = columnsOf(measured.vectors);
  return { json, scores, warnings: [...new Set(warnings)], fitted: fit.fitted, train: fit.train };
}

/** What fitting and scoring have to say. */
const dataWarnings = (
  { train, fitted, warnings }: FitResult,
  { id, ood }: Scored,
  classes: number | null,
): string[] => [
  ...trainWarnings(train, classes),
  ...warnings,
  ...fitted.flatMap(({ state }) => state.warnings),
  ...[id, ...ood.values()].flatMap((set) => set.warnings),
];

/**
 * The name of the method that the others are tested against, or null.
 * @throws UsageError if it is unknown, or not among the methods.
 */
function referenceOf(
  wanted: string | undefined,
  chosen: readonly Score[],
  known: readonly Score[],
): string | null {
  if (wanted === undefined) return null;
  const reference = findScore(wanted, known);
  if (!chosen.includes(reference))
    throw new UsageError(
      `--delong ${reference.name} is not among the methods: add it to --methods`,
    );
  return reference.name;
}

function assertSets({ train, id, head, ood, validation }: EvaluateInput): void {
  if (ood.length === 0) throw new UsageError("no OOD set: pass at least one with --ood NAME=FILE");
  const sources = ood.map(({ source }) => source);
  assertNames(sources, [ID]);
  const reference = { base: train, head };
  assertFit(reference, [id, ...(validation ? [validation] : [])]);
  assertFit(reference, sources, "OOD set");
  assertConsistent(id, head);
}

/** Scores that look at images or at further models, where a set has none: why they are skipped. */
function blindScores(
  { model, id, ood }: EvaluateInput,
  chosen: readonly Score[],
): Readonly<Record<string, string>> {
  const sets = [id, ...ood.map(({ source }) => source)];
  const unseen = model ? sets.find(({ images }) => !images) : undefined;
  const lonely = sets.find(({ peerLogits = [] }) => peerLogits.length === 0);
  const reasonOf = (score: Score): string | null => {
    if (needsImages(score) && unseen)
      return `needs images, and ${unseen.name} is a set of features`;
    if (!needsPeers(score) || !lonely) return null;
    return lonely === id ? ALONE : `${ALONE}; ${lonely.name} is of one model`;
  };
  return Object.fromEntries(
    chosen.flatMap((score) => {
      const reason = reasonOf(score);
      return reason === null ? [] : [[score.name, reason]];
    }),
  );
}

const groupsOf = (ood: readonly OodSet[]): Record<string, OodGroup> =>
  Object.fromEntries(ood.map(({ source, group }) => [source.name, group]));

/** How scores become figures. */
const figuresOf = ({ id, ood, bootstrap, onProgress }: EvaluateInput): MeasureOptions => ({
  groups: groupsOf(ood),
  labels: id.labels,
  bootstrap: bootstrap ?? null,
  onProgress: (done, total) => onProgress?.("metrics", done, total),
});

/** What a reader needs to repeat the numbers. */
function configOf(
  { train, id, ood, bootstrap, delong }: EvaluateInput,
  options: ScoreOptions,
): OodJson["config"] {
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
    ensemble_models: 1 + (id.peerLogits?.length ?? 0),
    bootstrap: bootstrap ? (bootstrap.replicates ?? REPLICATES) : null,
    bootstrap_seed: bootstrap ? (bootstrap.seed ?? 0) : null,
    interval_level: bootstrap?.level ?? LEVEL,
    delong: delong ?? null,
    ...(delong ? { delong_p: "two-sided, not corrected for several tests" } : {}),
    groups: groupsOf(ood),
    fpr_at_95_id_tpr: "share of OOD kept at 95 % ID recall (NECO, ViM)",
    fpr_at_95_ood_tpr: "share of ID flagged at 95 % OOD recall (OpenOOD, pytorch-ood)",
  };
}
