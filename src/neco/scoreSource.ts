/** Scores every row of a source with every fitted method, in one pass. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError } from "../util/errors.ts";
import { eachBlock, headTensors } from "./block.ts";
import type { Block, HeadTensors } from "./block.ts";
import type { FittedScore } from "./fit.ts";
import type { ImageModel } from "./imageModel.ts";
import { LogitCheck } from "./logitCheck.ts";
import { logMaxProbability } from "./logits.ts";
import { needsImages } from "./score.ts";
import { scoresKey } from "./scoreCache.ts";
import type { ScoreCache } from "./scoreCache.ts";
import { noStopwatch } from "./stopwatch.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** Reports rows done of rows in all, stage by stage. */
export type Progress = (stage: string, done: number, total: number) => void;

/** What {@link scoreSource} takes. */
export interface ScoreInput {
  readonly engine: Engine;
  readonly source: FeatureSource;
  readonly head: Head | null;
  readonly fitted: readonly FittedScore[];
  /** The network, for scores that need images. */
  readonly model?: ImageModel | null | undefined;
  /** Keeps the scores that took a look into the network. */
  readonly cache?: ScoreCache | null | undefined;
  readonly time?: Stopwatch | undefined;
  readonly onProgress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Scores of one source by method. */
export interface SourceScores {
  readonly scores: ReadonlyMap<string, Float64Array>;
  /** Class with the largest logit; null without logits. */
  readonly predicted: Int32Array | null;
  /** Probability of that class, in [0, 1]; null without logits. */
  readonly confidence: Float64Array | null;
  readonly warnings: readonly string[];
}

/**
 * All fitted scores of every row of a source: those of features in one pass, and one pass for each
 * that looks into the network, whose program is gone before the next one's is made.
 * @throws DataError if the source holds NaN or Inf, or lacks logits or images that a method needs.
 */
export async function scoreSource(input: ScoreInput): Promise<SourceScores> {
  const { engine, source, head, fitted } = input;
  assertLogits(source, head, fitted);
  const tensors = head ? headTensors(engine, head) : null;
  try {
    const ofFeatures = fitted.filter(({ score }) => !needsImages(score));
    const hasLogits = (source.logits ?? head) !== null;
    const predicted = hasLogits ? new Int32Array(source.rows) : null;
    const confidence = hasLogits ? new Float64Array(source.rows) : null;
    const check = source.logits && tensors ? new LogitCheck(engine, tensors) : null;
    const scores = await scorePass(input, tensors, ofFeatures, async (block, start) => {
      if (predicted !== null) {
        const stats = await block.logitStats();
        predicted.set(stats.predicted, start);
        confidence?.set(logMaxProbability(stats).map(Math.exp), start);
      }
      await check?.add(block);
    });
    for (const one of fitted.filter(({ score }) => needsImages(score)))
      scores.set(one.score.name, await scoreAlone(input, tensors, one));
    return { scores, predicted, confidence, warnings: check?.warnings(source.name) ?? [] };
  } finally {
    tensors?.weight.dispose();
    tensors?.bias?.dispose();
  }
}

/** The scores of one method that needs images, unless the cache has them. */
async function scoreAlone(
  input: ScoreInput,
  head: HeadTensors | null,
  fitted: FittedScore,
): Promise<Float64Array> {
  const { source, cache } = input;
  const { name } = fitted.score;
  const make = async (): Promise<Float64Array> =>
    (await scorePass(input, head, [fitted])).get(name) ?? new Float64Array();
  const key = scoresKey(fitted.key, source);
  if (!cache || key === null) return make();
  return cache.values({ name: `${name}-${source.name}`, key }, make);
}

/** One pass of some scores over the source. */
async function scorePass(
  { engine, source, model = null, signal, onProgress, time = noStopwatch }: ScoreInput,
  head: HeadTensors | null,
  fitted: readonly FittedScore[],
  also?: (block: Block, start: number) => Promise<void>,
): Promise<Map<string, Float64Array>> {
  const looking = fitted.find(({ score }) => needsImages(score))?.score.name;
  const stage = looking === undefined ? source.name : `${looking} ${source.name}`;
  const onRows = (done: number): void => onProgress?.(stage, done, source.rows);
  const batch = looking === undefined ? undefined : model?.batch;
  const scorers = fitted.map(({ score, state }) => ({
    name: score.name,
    scorer: score.bind(engine, state, model),
    values: new Float64Array(source.rows),
  }));
  let start = 0;
  try {
    await eachBlock(engine, source, { head, batch, onRows, signal }, async (block) => {
      if (also) await time("score", "logits", () => also(block, start));
      for (const { name, scorer, values } of scorers)
        values.set(await time("score", name, () => engine.scope(() => scorer.score(block))), start);
      start += block.rows;
    });
  } finally {
    for (const { scorer } of scorers) scorer.dispose();
  }
  return new Map(scorers.map(({ name, values }) => [name, values]));
}

function assertLogits(
  source: FeatureSource,
  head: Head | null,
  fitted: readonly FittedScore[],
): void {
  if (source.logits ?? head) return;
  const wanting = fitted.find(({ score }) => score.needs.includes("logits"));
  if (wanting)
    throw new DataError(
      `${source.name} has no logits, which ${wanting.score.name} needs: add them to the file, or pass a head`,
    );
}
