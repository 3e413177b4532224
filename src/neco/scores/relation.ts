/** Relation: how strongly a sample is tied to the training samples, by features and by predictions. */
import { stateArray, stateNumber } from "../arrays.ts";
import { numberTensor } from "../numberTensor.ts";
import type { Tensor } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { normalised, wholeBank } from "../bank.ts";
import { joinScan } from "../bankScan.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { jointly } from "../score.ts";
import type { Score } from "../score.ts";

const parameters = { power: numeric(1, { min: 0, grid: [1, 2, 4, 6, 8] }) };

/** Weaker ties do not count, as published. */
const THRESHOLD = 0.03;

/** Σ_i k_i^pow over the k_i above 0.03, k_i = max(0, cos(h, h_i)) · ⟨p, p_i⟩, over the training set. Kim et al., 2023. */
export const relation: Score = {
  name: "relation",
  aliases: [],
  title: "Relation",
  needs: ["features", "logits"],
  parameters,
  fit(context) {
    const { engine, options } = context;
    const params = chooseParameters("relation", parameters, options);
    const features = wholeBank(context, "features", (block) => normalised(engine, block.features));
    const predictions = wholeBank(context, "predictions", (block) =>
      engine.ops.softmax(block.needLogits()),
    );
    return Promise.resolve(
      jointly([features, predictions], ([own, theirs]) => ({
        arrays: {
          ...(own ? { features: stateArray(own, "bank") } : {}),
          ...(theirs ? { predictions: stateArray(theirs, "bank") } : {}),
        },
        params,
        warnings: [],
      })),
    );
  },
  bind(engine, state) {
    const { ops } = engine;
    const { shape, values } = stateArray(state, "predictions");
    const classes = at(shape, 1);
    const exponent = stateNumber(state, "power");
    const power = numberTensor(engine, exponent);
    const threshold = numberTensor(engine, THRESHOLD);
    const seat = joinScan(engine, stateArray(state, "features"), {
      prepare: (block) => ops.softmax(block.needLogits()),
      visit({ cosines, start, end }, before, p) {
        const rows = values.subarray(start * classes, end * classes);
        const theirs = engine.tensor(rows, [end - start, classes]);
        const agreement = ops.matmul(need(p), theirs, null, { transposeB: true });
        const ties = ops.mul(cosines, agreement); // what is negative is below the threshold
        const sizes = exponent === 1 ? ties : ops.pow(ops.relu(ties), power);
        const sum = ops.sum(ops.mul(ops.greater(ties, threshold), sizes), PER_ROW); // [B, 1]
        return before ? ops.concat(before, sum, { axis: 1 }) : sum;
      },
      // f32 within a chunk, float64 over the chunks.
      finish: async (sums) => rowTotals(await sums.floats(), at(sums.shape, 1)),
    });
    return {
      score: (block) => seat.scores(block),
      dispose: () => {
        seat.dispose();
        power.dispose();
        threshold.dispose();
      },
    };
  },
};

const PER_ROW = { axes: [1], keepDims: true } as const;

function need(prepared: Tensor | null): Tensor {
  if (!prepared) throw new RangeError("relation: the predictions are missing");
  return prepared;
}

/** Σ of each row of a matrix, in float64. */
const rowTotals = (values: Float32Array, width: number): Float64Array =>
  Float64Array.from({ length: values.length / width }, (_, row) =>
    values.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, 0),
  );
