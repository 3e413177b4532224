/** Fits any number of scores in a few shared passes over the ID training features. */
import type { Engine } from "../engine/index.ts";
import { checkLabels } from "../io/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError, NotPositiveDefiniteError } from "../util/errors.ts";
import { eachBlock, headTensors } from "./block.ts";
import type { PassOptions } from "./block.ts";
import { assertFit, setTitle } from "./checkSets.ts";
import type { ImageModel } from "./imageModel.ts";
import { LogitCheck } from "./logitCheck.ts";
import { trainStatistics } from "./moments.ts";
import type { TrainStatistics } from "./moments.ts";
import { scoreOptions } from "./options.ts";
import type { ScoreOptions } from "./options.ts";
import { ALONE } from "./peers.ts";
import { assertParameters } from "./parameters.ts";
import { isCalibration, needsImages } from "./score.ts";
import { fitKey } from "./scoreCache.ts";
import type { ScoreCache } from "./scoreCache.ts";
import { noStopwatch } from "./stopwatch.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { Calibration, Fit, FitContext, Need, Score, ScoreState } from "./score.ts";

/** A score and what was fitted for it. */
export interface FittedScore {
  readonly score: Score;
  readonly state: ScoreState;
  /** What the state depends on, where that is known: scores made by it may be kept. */
  readonly key?: string;
}

/** What {@link fitScores} takes. */
export interface FitInput {
  readonly engine: Engine;
  readonly train: FeatureSource;
  readonly head: Head | null;
  readonly scores: readonly Score[];
  readonly options?: Partial<ScoreOptions>;
  /**
   * Skips scores that these rows are too few for, or of too low a rank, instead of throwing: for
   * whoever asks for all scores and not for one by name.
   */
  readonly skipUnfit?: boolean | undefined;
  /** The network, for scores that need images. */
  readonly model?: ImageModel | null | undefined;
  /** ID validation samples, for scores that calibrate on them. */
  readonly validation?: FeatureSource | null | undefined;
  /** Keeps what scores that need images were fitted to. */
  readonly cache?: ScoreCache | null | undefined;
  /** Moments of `train` from an earlier fit, which saves a pass. */
  readonly statistics?: TrainStatistics | undefined;
  readonly time?: Stopwatch | undefined;
  readonly onProgress?: ((stage: string, done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link fitScores} gives. */
export interface FitResult {
  readonly fitted: readonly FittedScore[];
  /** Why each score that could not be fitted is missing. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly train: TrainStatistics;
  /** What the training file's logits have to be told of. */
  readonly warnings: readonly string[];
}

const MISSING: Readonly<Record<Need, string>> = {
  features: "needs ID training features",
  labels: "needs class labels of the ID training features",
  logits: "needs logits in the feature files, or a head W, b to compute them",
  head: "needs the head W (and b, unless it is zero): logits alone do not tell it",
  images: "needs images and the network, which features do not tell: evaluate a run",
  validation: "needs images of an ID validation set",
  peers: ALONE,
};

/** What the data offers to scores. */
function offered({ train, head, model, validation }: FitInput): ReadonlySet<Need> {
  const needs = new Set<Need>(["features", "peers"]); // no fit looks at peers, only scoring does
  if (model && train.images) needs.add("images");
  if (validation?.images && validation.rows > 0) needs.add("validation");
  if (train.labels) needs.add("labels");
  if (train.logits ?? head) needs.add("logits");
  if (head) needs.add("head");
  return needs;
}

/**
 * Checks that head, labels and features belong together.
 * @throws FormatError if the head takes features of another width.
 * @throws DataError if a label is no class of the head, or there are logits of other classes.
 */
export function assertConsistent(source: FeatureSource, head: Head | null): void {
  const { labels } = source;
  assertFit({ base: source, head }, []);
  const classes = head?.classes ?? source.classes;
  if (labels && classes !== null) checkLabels(setTitle(source), labels, classes);
}

/**
 * Fits scores to ID training features: one pass for the moments that all share, and further ones
 * only while a score asks for them. Scores whose needs are not met are skipped by name.
 * @throws DataError if the features are unusable (empty, NaN, wrong size), or too few for a score
 * unless `skipUnfit` is set.
 * @throws UsageError if an option contradicts the data.
 */
export async function fitScores(input: FitInput): Promise<FitResult> {
  const { engine, train, head, model = null, signal } = input;
  const options = scoreOptions(input.options);
  assertParameters(input.scores, options.methodParams);
  assertConsistent(train, head);
  const has = offered(input);
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
    (await (input.time ?? noStopwatch)("moments", "all", () =>
      trainStatistics(engine, train, { onRows: progress("moments"), signal }),
    ));
  const context = { engine, train: statistics, head, options, model };
  const ofFeatures = usable.filter((score) => !needsImages(score));
  const attempt = attempts(input.skipUnfit === true, skipped);
  const { states, warnings } = await settle(
    context,
    ofFeatures,
    { ...input, attempt },
    progress("calibration"),
  );
  const fits = new Map([...states].map(([score, state]) => [score, { score, state }]));
  // One by one: a program that looks into the network holds its activations until it is disposed.
  for (const score of usable.filter(needsImages)) {
    const onRows = progress(`${score.name} fit`);
    const fit = await fitAlone(context, score, { ...input, attempt }, onRows).catch(
      (error: unknown) => {
        if (skipped[score.name] === undefined) throw error;
        return null;
      },
    );
    if (fit) fits.set(score, fit);
  }
  const fitted = usable.flatMap((score) => fits.get(score) ?? []);
  return { fitted, skipped, train: statistics, warnings };
}

/** Does a piece of the fit of a score by name; null where that refuses the data and may be skipped for it. */
type Attempt = <T>(name: string, piece: () => Promise<T>) => Promise<T | null>;

/** Notes in `skipped` why a score refuses the data, if it may; every other error goes on. */
const attempts =
  (mayRefuse: boolean, skipped: Record<string, string>): Attempt =>
  async (name, piece) => {
    try {
      return await piece();
    } catch (error) {
      const refuses = error instanceof DataError || error instanceof NotPositiveDefiniteError;
      if (!refuses || !mayRefuse) throw error;
      skipped[name] = error.message;
      return null;
    }
  };

/** Input with what notes refusals. */
type Attempting = FitInput & { readonly attempt: Attempt };

/**
 * Fits one score that needs images, unless the cache has it.
 * @throws RangeError if it refuses the data and was skipped.
 */
async function fitAlone(
  context: FitContext,
  score: Score,
  input: Attempting,
  onRows: (done: number) => void,
): Promise<FittedScore> {
  const make = async (): Promise<ScoreState> => {
    const state = (await settle(context, [score], input, onRows)).states.get(score);
    if (!state) throw new RangeError(`${score.name} was not fitted`);
    return state;
  };
  const { train, validation = null, cache } = input;
  const key = fitKey(score.name, train, validation, context.options);
  if (key === null) return { score, state: await make() };
  const entry = { name: `${score.name}-fit`, key };
  return { score, key, state: await (cache ? cache.state(entry, make) : make()) };
}

/** States by score, and warnings about the training set's logits. */
interface Settled {
  readonly states: ReadonlyMap<Score, ScoreState>;
  readonly warnings: readonly string[];
}

/** Fits scores together: further passes over the rows while one wants them, each shared by all that do. */
async function settle(
  context: FitContext,
  scores: readonly Score[],
  { train, validation, signal, time = noStopwatch, attempt }: Attempting,
  onRows: (done: number) => void,
): Promise<Settled> {
  const states = new Map<Score, ScoreState>();
  let warnings: readonly string[] | null = null; // null: no pass has looked at the logits yet
  const open = new Map<Score, Calibration>();
  const step = async (score: Score, solve: () => Promise<Fit>): Promise<void> => {
    open.delete(score);
    const fit = await attempt(score.name, () => time("solve", score.name, solve));
    if (fit === null) return;
    if (isCalibration(fit)) open.set(score, fit);
    else states.set(score, fit);
  };
  for (const score of scores) await step(score, () => score.fit(context));
  const batch = scores.some(needsImages) ? context.model?.batch : undefined;
  while (open.size > 0) {
    const pass = { onRows, signal, batch, time };
    const checks = warnings === null;
    const told = await observe(context, train, wanting(open, undefined), { ...pass, checks });
    warnings ??= told;
    if (validation)
      await observe(context, validation, wanting(open, "validation"), { ...pass, checks: false });
    for (const [score, fit] of [...open]) await step(score, () => fit.finish());
  }
  return { states, warnings: warnings ?? [] };
}

/** The calibrations that visit some rows. */
const wanting = (
  open: ReadonlyMap<Score, Calibration>,
  over: Calibration["over"],
): ReadonlyMap<Score, Calibration> => new Map([...open].filter(([, fit]) => fit.over === over));

/**
 * One pass over a source, shared by the calibrations that want it.
 * @returns warnings about its logits, if `checks` asks for a look at them; null without a pass
 */
async function observe(
  { engine, head }: FitContext,
  source: FeatureSource,
  fits: ReadonlyMap<Score, Calibration>,
  { time, checks, ...pass }: PassOptions & { readonly time: Stopwatch; readonly checks: boolean },
): Promise<readonly string[] | null> {
  if (fits.size === 0) return null;
  const tensors = head ? headTensors(engine, head) : null;
  const check = checks && source.logits && tensors ? new LogitCheck(engine, tensors) : null;
  await eachBlock(engine, source, { ...pass, head: tensors }, async (block) => {
    if (block.logits) await time("fit", "logits", () => block.logitStats());
    if (check) await time("fit", "logits", () => engine.scope(() => check.add(block)));
    for (const [{ name }, fit] of fits)
      // Scores of images share tensors of a block among layers; the others leave none behind.
      await time("fit", name, () =>
        pass.batch === undefined ? engine.scope(() => fit.observe(block)) : fit.observe(block),
      );
  });
  tensors?.weight.dispose();
  tensors?.bias?.dispose();
  engine.eager.flush(); // a buffer that a pass not yet submitted uses must not be destroyed
  engine.pool.trim(); // the next pass, or the scores, want buffers of other sizes
  return check?.warnings(source.name) ?? [];
}
