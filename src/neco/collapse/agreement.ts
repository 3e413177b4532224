/** NC4: how often the nearest class mean and the network disagree. */
import type { Engine } from "../../engine/index.ts";
import type { FeatureSource, Head } from "../../io/index.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, matrixArray, sumSquares } from "../arrays.ts";
import { eachBlock, headTensors } from "../block.ts";
import type { PassOptions } from "../block.ts";
import { LogitCheck } from "../logitCheck.ts";
import { readLogitStats } from "../logits.ts";
import type { ClassMeans } from "../moments.ts";
import { centred, meanRow, rowOf } from "./geometry.ts";

/** Features and the head that predicts from them. */
export interface AgreementInput extends PassOptions {
  readonly features: FeatureSource;
  readonly weights: Head;
  /** Told what the figures rest on and should not. */
  readonly onWarning?: ((warning: string) => void) | undefined;
}

/**
 * NC4 and accuracy in one pass: how often the nearest class mean is not the network's prediction, and
 * how often the prediction is right. argmin ‖h − μ_c‖ = argmax (h − μ_G)·(μ_c − μ_G) − ½‖μ_c − μ_G‖².
 */
export async function agreement(
  engine: Engine,
  input: AgreementInput,
  labels: Int32Array,
  { means, labels: present, dim }: ClassMeans,
): Promise<{ nc4: number; accuracy: number }> {
  const { ops } = engine;
  const rows = { values: means, rows: present.length, dim };
  const origin = meanRow(rows);
  const spread = centred(rows, origin);
  const half = Float32Array.from(present, (_, row) => -0.5 * sumSquares(rowOf(spread, row)));
  const head = headTensors(engine, input.weights);
  const centre = engine.tensor(Float32Array.from(origin));
  const targets = arrayTensor(engine, matrixArray(spread.values, rows.rows, dim)); // [K, D]
  const bias = engine.tensor(half);
  const check = new LogitCheck(engine, head);
  let start = 0;
  let mismatches = 0;
  let right = 0;
  await eachBlock(engine, input.features, { ...input, head }, async (block) => {
    const nearness = ops.matmul(ops.sub(block.features, centre), targets, bias, {
      transposeB: true,
    }); // [B, K]
    const { predicted: nearest } = await readLogitStats(engine, nearness);
    const { predicted } = await block.logitStats();
    predicted.forEach((label, row) => {
      if (at(present, at(nearest, row)) !== label) mismatches++;
      if (at(labels, start + row) === label) right++;
    });
    start += block.rows;
    await check.add(block);
  });
  for (const warning of check.warnings(input.features.name)) input.onWarning?.(warning);
  for (const tensor of [head.weight, head.bias, centre, targets, bias]) tensor?.dispose();
  return { nc4: mismatches / start, accuracy: right / start };
}
