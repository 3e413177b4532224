/** Fits any number of scores in a few shared passes over the ID training features. */
import type { Engine } from "../engine/index.ts";
import { checkHead, checkLabels } from "../io/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { eachBlock, headTensors } from "./block.ts";
import type { HeadTensors, PassOptions } from "./block.ts";
import { trainStatistics } from "./moments.ts";
import type { TrainStatistics } from "./moments.ts";
import { scoreOptions } from "./options.ts";
import type { ScoreOptions } from "./options.ts";
import { assertParameters } from "./parameters.ts";
import { isCalibration } from "./score.ts";
import type { Fit, FitContext, Need, Score, ScoreState } from "./score.ts";

/** A score and what was fitted for it. */
export interface FittedScore {
  readonly score: Score;
  readonly state: ScoreState;
}

/** What {@link fitScores} takes. */
export interface FitInput {
  readonly engine: Engine;
  readonly train: FeatureSource;
  readonly head: Head | null;
  readonly scores: readonly Score[];
  readonly options?: Partial<ScoreOptions>;
  /** Moments of `train` from an earlier fit, which saves a pass. */
  readonly statistics?: TrainStatistics | undefined;
  readonly onProgress?: ((stage: string, done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link fitScores} gives. */
export interface FitResult {
  readonly fitted: readonly FittedScore[];
  /** Why each score that could not be fitted is missing. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly train: TrainStatistics;
}

const MISSING: Readonly<Record<Need, string>> = {
  features: "needs ID training features",
  labels: "needs class labels of the ID training features",
  logits: "needs logits in the feature files, or a head W, b to compute them",
  head: "needs the head W (and b, unless it is zero): logits alone do not tell it",
};

/** What the data offers to scores. */
function offered(train: FeatureSource, head: Head | null): ReadonlySet<Need> {
  const needs = new Set<Need>(["features"]);
  if (train.labels) needs.add("labels");
  if (train.logits ?? head) needs.add("logits");
  if (head) needs.add("head");
  return needs;
}

/**
 * Checks that head, labels and features belong together.
 * @throws FormatError if the head takes features of another width.
 * @throws DataError if a label is no class of the head.
 */
export function assertConsistent(source: FeatureSource, head: Head | null): void {
  const { name, dim, labels } = source;
  if (head) checkHead(head, dim, name);
  const classes = head?.classes ?? source.classes;
  if (labels && classes !== null) checkLabels(name, labels, classes);
}

/**
 * Fits scores to ID training features: one pass for the moments that all share, and further ones
 * only while a score asks for them. Scores whose needs are not met are skipped by name.
 * @throws DataError if the features are unusable (empty, NaN, wrong size, too few for a PCA).
 * @throws UsageError if an option contradicts the data.
 */
export async function fitScores(input: FitInput): Promise<FitResult> {
  const { engine, train, head, signal } = input;
  const options = scoreOptions(input.options);
  assertParameters(input.scores, options.methodParams);
  assertConsistent(train, head);
  const has = offered(train, head);
  const skipped: Record<string, string> = {};
  const usable = input.scores.filter((score) => {
    const missing = score.needs.find((need) => !has.has(need));
    if (missing) skipped[score.name] = MISSING[missing];
    return !missing;
  });
  const progress =
    (stage: string): ((done: number) => void) =>
    (done) =>
      input.onProgress?.(stage, done, train.rows);
  const statistics =
    input.statistics ??
    (await trainStatistics(engine, train, { onRows: progress("moments"), signal }));
  const context = { engine, train: statistics, head, options };
  const fits = new Map<Score, Fit>();
  for (const score of usable) fits.set(score, await score.fit(context));
  const pass = { onRows: progress("calibration"), signal };
  const fitted = await calibrateAll(context, fits, train, pass);
  return { fitted, skipped, train: statistics };
}

/** Further passes over the training rows, each shared by all scores that want one. */
async function calibrateAll(
  { engine, head }: FitContext,
  fits: ReadonlyMap<Score, Fit>,
  train: FeatureSource,
  pass: PassOptions,
): Promise<FittedScore[]> {
  const tensors: HeadTensors | null = head ? headTensors(engine, head) : null;
  const states = new Map<Score, ScoreState>();
  let open = new Map(fits);
  while (open.size > 0) {
    const calibrations = [...open.values()].filter(isCalibration);
    if (calibrations.length > 0)
      await eachBlock(engine, train, { ...pass, head: tensors }, async (block) => {
        for (const calibration of calibrations) await calibration.observe(block);
      });
    const next = new Map<Score, Fit>();
    for (const [score, fit] of open)
      if (isCalibration(fit)) next.set(score, await fit.finish());
      else states.set(score, fit);
    open = next;
  }
  tensors?.weight.dispose();
  tensors?.bias?.dispose();
  return [...fits.keys()].flatMap((score) => {
    const state = states.get(score);
    return state ? [{ score, state }] : [];
  });
}
