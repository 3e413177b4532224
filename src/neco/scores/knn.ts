/** KNN: distance to the k-th nearest training feature, all on the unit sphere. */
import { stateArray, stateNumber } from "../arrays.ts";
import { mergeTop, nearest, normalised, wholeBank } from "../bank.ts";
import { joinScan } from "../bankScan.ts";
import { closeness } from "../closeness.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Engine } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { afterwards } from "../score.ts";
import type { NamedArray, Score } from "../score.ts";

const parameters = {
  k: numeric(50, { min: 1, isInteger: true, grid: [50, 100, 200, 500, 1000] }),
};

/** Squared distances below this need more digits than 2 − 2 cos has: its rounding is about 2e-7. */
const NEAR = 0.02;
/** Training samples whose distances tell. */
const SAMPLES = 128;

/** Whether half of the training samples or more have their k-th neighbour nearer than {@link NEAR}. */
async function isCrowded(engine: Engine, bank: NamedArray, k: number): Promise<boolean> {
  const [count, width] = [at(bank.shape, 0), at(bank.shape, 1)];
  const samples = Math.min(SAMPLES, count);
  const values = new Float32Array(samples * width);
  for (let sample = 0; sample < samples; sample++) {
    const row = Math.floor((sample * count) / samples);
    values.set(bank.values.subarray(row * width, (row + 1) * width), sample * width);
  }
  return engine.scope(async () => {
    const query = engine.tensor(values, [samples, width]);
    const cosines = await nearest(engine, query, bank, k);
    const farthest = await engine.ops.min(cosines, { axes: [1] }).floats();
    return at(farthest.sort(), Math.floor(samples / 2)) > 1 - NEAR / 2;
  });
}

/** −‖ĥ − ĥ_(k)‖², ĥ = h/‖h‖ and ĥ_(k) the k-th nearest of all training features. Sun et al., 2022. */
export const knn: Score = {
  name: "knn",
  aliases: [],
  title: "KNN",
  needs: ["features"],
  parameters,
  fit(context) {
    const { engine, train, options } = context;
    const { k } = chooseParameters("knn", parameters, options);
    const bank = wholeBank(context, "features", ({ features }) => normalised(engine, features));
    return afterwards(bank, async (state) => {
      const used = Math.min(k, train.count);
      return {
        arrays: state.arrays,
        params: { k: used, crowded: await isCrowded(engine, stateArray(state, "bank"), used) },
        warnings:
          k > train.count
            ? [`knn: there are ${train.count} training features, so k is that instead of ${k}`]
            : [],
      };
    });
  },
  bind(engine, state) {
    const k = stateNumber(state, "k");
    const isSplit = state.params["crowded"] === true;
    const seat = joinScan(engine, stateArray(state, "bank"), {
      // Halves of minus the squared distances, up to a constant.
      visit: ({ query, bank, cosines }, before) =>
        mergeTop(engine, before, isSplit ? closeness(engine, query, bank) : cosines, k),
      async finish(found) {
        const farthest = await engine.ops.min(found, { axes: [1] }).floats();
        return Float64Array.from(farthest, (half) => 2 * (isSplit ? half : half - 1));
      },
    });
    return {
      score: (block) => seat.scores(block),
      dispose: () => {
        seat.dispose();
      },
    };
  },
};
