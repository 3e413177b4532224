/** KNN: distance to the k-th nearest training feature, all on the unit sphere. */
import { stateArray, stateNumber } from "../arrays.ts";
import { mergeTop, normalised, wholeBank } from "../bank.ts";
import { joinScan } from "../bankScan.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { afterwards } from "../score.ts";
import type { Score } from "../score.ts";

const parameters = {
  k: numeric(50, { min: 1, isInteger: true, grid: [50, 100, 200, 500, 1000] }),
};

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
    return afterwards(bank, ({ arrays }) => ({
      arrays,
      params: { k: Math.min(k, train.count) },
      warnings:
        k > train.count
          ? [`knn: there are ${train.count} training features, so k is that instead of ${k}`]
          : [],
    }));
  },
  bind(engine, state) {
    const k = stateNumber(state, "k");
    const seat = joinScan(engine, stateArray(state, "bank"), {
      visit: ({ cosines }, before) => mergeTop(engine, before, cosines, k),
      async finish(nearest) {
        const farthest = await engine.ops.min(nearest, { axes: [1] }).floats();
        return Float64Array.from(farthest, (cosine) => 2 * cosine - 2);
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
