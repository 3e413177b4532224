/** The most probable class of several predictions of one sample, such as of masks or of models. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { doubt, predictedMask } from "./inputGradient.ts";

/** log max_c of the mean of softmax(z) over predictions z [B, C]: −log1p of what the others have, which does not saturate. */
export async function logMeanProbability(
  engine: Engine,
  predictions: readonly Tensor[],
): Promise<Float64Array> {
  const { ops } = engine;
  const total = predictions.map((z) => ops.softmax(z)).reduce((a, b) => ops.add(a, b)); // [B, C]
  const isPredicted = predictedMask(engine, total);
  const others = new Float64Array(at(total.shape, 0)); // Σ over predictions of 1 − p
  for (const z of predictions)
    for (const [row, log] of (await doubt(engine, z, isPredicted, 1).floats()).entries())
      others[row] = at(others, row) + 1 / (1 + Math.exp(-log));
  return others.map((sum) => Math.log1p(-sum / predictions.length));
}
