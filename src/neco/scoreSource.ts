/** Scores every row of a source with every fitted method, in one pass. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError } from "../util/errors.ts";
import { applyHead, eachBlock, headTensors } from "./block.ts";
import type { Block, HeadTensors } from "./block.ts";
import type { FittedScore } from "./fit.ts";
import { logMaxProbability } from "./logits.ts";

/** Logits this far from h·Wᵀ + b, relative to the largest, are not rounding. */
const DISAGREEMENT = 1e-3;

/** Reports rows done of rows in all, stage by stage. */
export type Progress = (stage: string, done: number, total: number) => void;

/** What {@link scoreSource} takes. */
export interface ScoreInput {
  readonly engine: Engine;
  readonly source: FeatureSource;
  readonly head: Head | null;
  readonly fitted: readonly FittedScore[];
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
 * All fitted scores of every row of a source.
 * @throws DataError if the source holds NaN or Inf, or lacks logits that a method needs.
 */
export async function scoreSource(input: ScoreInput): Promise<SourceScores> {
  const { engine, source, head, fitted, signal, onProgress } = input;
  assertLogits(source, head, fitted);
  const tensors = head ? headTensors(engine, head) : null;
  const scorers = fitted.map(({ score, state }) => ({
    name: score.name,
    scorer: score.bind(engine, state),
    values: new Float64Array(source.rows),
  }));
  const hasLogits = (source.logits ?? head) !== null;
  const predicted = hasLogits ? new Int32Array(source.rows) : null;
  const confidence = hasLogits ? new Float64Array(source.rows) : null;
  const check = source.logits && tensors ? new LogitCheck(engine, tensors) : null;
  const onRows = (done: number): void => onProgress?.(source.name, done, source.rows);
  let start = 0;
  try {
    await eachBlock(engine, source, { head: tensors, onRows, signal }, async (block) => {
      for (const { scorer, values } of scorers) values.set(await scorer.score(block), start);
      if (predicted !== null) {
        const stats = await block.logitStats();
        predicted.set(stats.predicted, start);
        confidence?.set(logMaxProbability(stats).map(Math.exp), start);
      }
      await check?.add(block);
      start += block.rows;
    });
  } finally {
    for (const { scorer } of scorers) scorer.dispose();
    tensors?.weight.dispose();
    tensors?.bias?.dispose();
  }
  return {
    scores: new Map(scorers.map(({ name, values }) => [name, values])),
    predicted,
    confidence,
    warnings: check?.warnings(source.name) ?? [],
  };
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

/** Compares the file's logits with h·Wᵀ + b. */
class LogitCheck {
  private readonly engine: Engine;
  private readonly head: HeadTensors;
  private difference = 0;
  private largest = 0;

  constructor(engine: Engine, head: HeadTensors) {
    this.engine = engine;
    this.head = head;
  }

  async add({ features, logits }: Block): Promise<void> {
    if (!logits) return;
    const { ops } = this.engine;
    const own = applyHead(this.engine, features, this.head);
    const difference = await ops.max(ops.abs(ops.sub(logits, own))).item();
    this.difference = Math.max(this.difference, difference);
    this.largest = Math.max(this.largest, await ops.max(ops.abs(logits)).item());
  }

  warnings(name: string): string[] {
    return this.difference > DISAGREEMENT * this.largest
      ? [
          `${name}: the file's logits differ from h·Wᵀ + b by up to ${this.difference.toPrecision(3)}; is this the head of the model that made them?`,
        ]
      : [];
  }
}
