/** Confidence from logits in float64, without the saturation of 1 − p: the GPU reduces, the host finishes. */
import { numberTensor } from "./numberTensor.ts";
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";

const STATS = 4; // columns of the logitstats op

/** What confidence scores need of a block of logits, one value per row. */
export interface LogitStats {
  readonly largest: Float64Array;
  /** log Σ exp(z_c − z_max) over all classes but the predicted one; −∞ for one class. */
  readonly logOthers: Float64Array;
  readonly predicted: Int32Array;
}

/** Reduces logits [B, C] on the GPU and reads B × 4 numbers. */
export const readLogitStats = async (engine: Engine, logits: Tensor): Promise<LogitStats> =>
  logitStatsOf(await engine.ops.logitstats(logits).floats());

/** What the op `logitstats` gave, [B, 4], by column. */
export function logitStatsOf(stats: Float32Array): LogitStats {
  const rows = stats.length / STATS;
  const largest = new Float64Array(rows);
  const logOthers = new Float64Array(rows);
  const predicted = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * STATS;
    largest[row] = stats[start] ?? 0;
    logOthers[row] = (stats[start + 1] ?? 0) + Math.log(stats[start + 2] ?? 0);
    predicted[row] = stats[start + 3] ?? 0;
  }
  return { largest, logOthers, predicted };
}

/** log p_max = −log(1 + Σ of the others relative to the largest): never rounds to a tie at 0. */
export const logMaxProbability = ({ logOthers }: LogitStats): Float64Array =>
  logOthers.map((logSum) => -Math.log1p(Math.exp(logSum)));

/** log Σ_c exp z_c = z_max + log(1 + Σ of the others relative to the largest). */
export const logSumExp = ({ largest, logOthers }: LogitStats): Float64Array =>
  largest.map((z, row) => z + Math.log1p(Math.exp(at(logOthers, row))));

/** Below all logits, within f32. */
export const LOWEST = -3.4e38;

/** Logits beside the largest of their row, on the GPU. */
export interface RelativeLogits {
  /** z − z_max: [B, C]. */
  readonly below: Tensor;
  /** 1, but 0 at the predicted class: [B, C]. */
  readonly isOther: Tensor;
  /** The second largest minus the largest: [B, 1]. */
  readonly gap: Tensor;
  /** z − second largest, at most 0: exp of it does not overflow, nor vanish for the second. */
  readonly belowSecond: Tensor;
}

/** Makes them of logits [B, C]. */
export function relativeLogits(engine: Engine, logits: Tensor): RelativeLogits {
  const { ops } = engine;
  const perRow = { axes: [1], keepDims: true } as const;
  const below = ops.sub(logits, ops.max(logits, perRow));
  const isPredicted = ops.oneHot(ops.argmax(logits), { classes: at(logits.shape, 1) });
  const lowest = numberTensor(engine, LOWEST);
  const zero = numberTensor(engine, 0);
  const gap = ops.max(ops.where(isPredicted, lowest, below), perRow);
  return {
    below,
    isOther: ops.affine(isPredicted, { scale: -1, shift: 1 }),
    gap,
    belowSecond: ops.minimum(ops.sub(below, gap), zero),
  };
}
