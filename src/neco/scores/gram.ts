/** Gram: channel correlations of every block's tokens that fall outside of what the class's training images showed. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, stateArray, stateNumber } from "../arrays.ts";
import type { Block } from "../block.ts";
import { blockSums, GramRanges } from "../gramSums.ts";
import { needModel } from "../imageModel.ts";
import type { ImageModel } from "../imageModel.ts";
import { ImageProgram } from "../imageProgram.ts";
import { logMaxProbability, readLogitStats } from "../logits.ts";
import { numberTensor } from "../numberTensor.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Calibration, FitContext, NamedArray, Score, ScoreState } from "../score.ts";

const parameters = { powers: numeric(5, { min: 1, max: 10, isInteger: true }) };

const SLACK = 1e-6; // keeps a bound of 0 from dividing, as published
const NO_DEVIATION = 1e-7; // keeps a layer without deviations from dividing, as published

const layerName = (layer: number): string => `layer${layer}`;

/** First the ranges on the training images, then the mean deviation on validation images. */
function calibrate(context: FitContext, powers: number): Calibration {
  const { engine } = context;
  const model = needModel(context.model, "gram");
  const width = powers * model.dim;
  const ranges = Array.from({ length: model.depth }, () => new GramRanges(model.classes, width));
  const program = new ImageProgram(engine, model, (x) =>
    Object.fromEntries(
      blockSums(engine, model, x, powers).sums.map((sums, layer) => [layerName(layer), sums]),
    ),
  );
  return {
    async observe(block) {
      const { predicted } = await block.logitStats();
      const sums = await program.run(block);
      for (const [layer, range] of ranges.entries()) {
        const own = sums[layerName(layer)];
        if (own) range.add(await own.floats(), predicted);
      }
    },
    finish() {
      program.dispose();
      const arrays: Record<string, NamedArray> = {};
      for (const [layer, range] of ranges.entries()) {
        range.fillEmpty();
        arrays[`low${layer}`] = { shape: [model.classes, width], values: range.low };
        arrays[`high${layer}`] = { shape: [model.classes, width], values: range.high };
      }
      return Promise.resolve(
        calibrateMeans(context, model, { arrays, params: { powers }, warnings: [] }),
      );
    },
  };
}

function calibrateMeans({ engine }: FitContext, model: ImageModel, state: ScoreState): Calibration {
  const deviations = new Deviations(engine, model, state);
  const sums = new Float64Array(model.depth);
  let count = 0;
  return {
    over: "validation",
    async observe(block) {
      const rows = await deviations.of(block);
      for (const row of rows)
        for (const [layer, deviation] of row.entries()) sums[layer] = at(sums, layer) + deviation;
      count += rows.length;
    },
    finish() {
      deviations.dispose();
      const means = Float32Array.from(sums, (sum) => sum / count + NO_DEVIATION);
      return Promise.resolve({
        ...state,
        arrays: { ...state.arrays, means: { shape: [model.depth], values: means } },
      });
    },
  };
}

/** Deviations of images from the ranges of their predicted class. */
class Deviations {
  private readonly engine: Engine;
  private readonly bounds: readonly Tensor[];
  private readonly program: ImageProgram<"deviations" | "logits">;

  constructor(engine: Engine, model: ImageModel, state: ScoreState) {
    const { ops } = engine;
    const array = (name: string): Tensor => arrayTensor(engine, stateArray(state, name));
    const powers = stateNumber(state, "powers");
    const ranges = Array.from({ length: model.depth }, (_, layer) => ({
      low: array(`low${layer}`),
      high: array(`high${layer}`),
    }));
    this.engine = engine;
    this.bounds = ranges.flatMap(({ low, high }) => [low, high]);
    this.program = new ImageProgram(engine, model, (x) => {
      const { sums, logits } = blockSums(engine, model, x, powers);
      const predicted = ops.argmax(logits);
      const deviations = sums.map((own, layer) => {
        const { low, high } = at(ranges, layer);
        const floor = ops.gather(low, predicted); // [B, P · D]
        const ceiling = ops.gather(high, predicted);
        const below = excess(engine, ops.sub(floor, own), floor);
        return ops.add(below, excess(engine, ops.sub(own, ceiling), ceiling)); // [B, 1]
      });
      const all = deviations.reduce((left, right) => ops.concat(left, right, { axis: 1 }));
      return { deviations: all, logits };
    });
  }

  /** δ of each block over the largest probability, by image. */
  async of(block: Block): Promise<Float64Array[]> {
    const { deviations, logits } = await this.program.run(block);
    const layers = at(deviations.shape, 1);
    const values = await deviations.floats();
    const logs = logMaxProbability(await readLogitStats(this.engine, logits));
    return Array.from(logs, (log, row) =>
      Float64Array.from(
        values.subarray(row * layers, (row + 1) * layers),
        (deviation) => deviation / Math.exp(log),
      ),
    );
  }

  dispose(): void {
    this.program.dispose();
    for (const bound of this.bounds) bound.dispose();
  }
}

/** Σ over a row of max(0, beyond)/|bound|: [B, 1]. */
function excess(engine: Engine, beyond: Tensor, bound: Tensor): Tensor {
  const { ops } = engine;
  const outside = ops.maximum(beyond, numberTensor(engine, 0));
  const size = ops.affine(ops.abs(bound), { scale: 1, shift: SLACK });
  return ops.sum(ops.div(outside, size), { axes: [1], keepDims: true });
}

/**
 * −Σ_l δ_l/E[δ_l], δ_l = Σ over powers and channels of how far the sums of block l's tokens lie outside
 * the predicted class's range on ID train, relative to the bound, over max p; E on ID validation. Sastry
 * and Oore, 2020. A ViT's layers are the tokens that leave its blocks: channels are their D columns,
 * positions their T rows.
 */
export const gram: Score = {
  name: "gram",
  aliases: [],
  title: "Gram",
  needs: ["images", "logits", "validation"],
  parameters,
  fit(context) {
    const { powers } = chooseParameters("gram", parameters, context.options);
    return Promise.resolve(calibrate(context, powers));
  },
  bind(engine, state, given) {
    const deviations = new Deviations(engine, needModel(given, "gram"), state);
    const { values: means } = stateArray(state, "means");
    return {
      score: async (block) =>
        Float64Array.from(await deviations.of(block), (row) =>
          row.reduce((sum, deviation, layer) => sum - deviation / at(means, layer), 0),
        ),
      dispose: () => {
        deviations.dispose();
      },
    };
  },
};
