/** Confidence from logits in float64, without the saturation of 1 − p: the GPU reduces, the host finishes. */
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
export async function readLogitStats(engine: Engine, logits: Tensor): Promise<LogitStats> {
  const stats = await engine.ops.logitstats(logits).floats(); // [B, 4]
  const rows = stats.length / STATS;
  const column = (index: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => at(stats, row * STATS + index));
  const gap = column(1);
  return {
    largest: column(0),
    logOthers: column(2).map((others, row) => at(gap, row) + Math.log(others)),
    predicted: Int32Array.from(column(3)),
  };
}

/** log p_max = −log(1 + Σ of the others relative to the largest): never rounds to a tie at 0. */
export const logMaxProbability = ({ logOthers }: LogitStats): Float64Array =>
  logOthers.map((logSum) => -Math.log1p(Math.exp(logSum)));

/** log Σ_c exp z_c = z_max + log(1 + Σ of the others relative to the largest). */
export const logSumExp = ({ largest, logOthers }: LogitStats): Float64Array =>
  largest.map((z, row) => z + Math.log1p(Math.exp(at(logOthers, row))));
