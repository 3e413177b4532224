/** Fits any number of scores in a few shared passes over the ID training features. */
import type { Engine } from "../engine/index.ts";
import { checkLabels } from "../io/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { assertFit, setTitle } from "./checkSets.ts";
import type { ImageModel } from "./imageModel.ts";
import { trainStatistics } from "./moments.ts";
import type { TrainStatistics } from "./moments.ts";
import { scoreOptions } from "./options.ts";
import type { ScoreOptions } from "./options.ts";
import { ALONE } from "./peers.ts";
import { assertParameters } from "./parameters.ts";
import { needsImages } from "./score.ts";
import { fitKey } from "./scoreCache.ts";
import type { ScoreCache } from "./scoreCache.ts";
import { noStopwatch } from "./stopwatch.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { attempts, settle } from "./settle.ts";
import type { SettleInput } from "./settle.ts";
import type { FitContext, Need, Score, ScoreState } from "./score.ts";

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

/** Input with what notes refusals. */
type Attempting = FitInput & Pick<SettleInput, "attempt">;

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
