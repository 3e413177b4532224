/** ReAct: energy after clipping activations that are larger than nearly all of the training set's. */
import { stateNumber } from "../arrays.ts";
import { numberTensor } from "../numberTensor.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { calibrateQuantiles } from "../quantiles.ts";
import type { Score } from "../score.ts";

const parameters = {
  quantile: numeric(0.99, {
    min: 0,
    max: 1,
    presets: { openood: 0.9 },
    grid: [0.85, 0.9, 0.95, 0.99],
  }),
};

/** log Σ exp(W min(h, κ) + b), κ a quantile of all training activations. Sun et al., 2021. */
export const react: Score = {
  name: "react",
  aliases: [],
  title: "ReAct",
  needs: ["features", "head"],
  parameters,
  fit({ train, options }) {
    const { quantile } = chooseParameters("react", parameters, options);
    return Promise.resolve(
      calibrateQuantiles(train, [quantile], ([kappa = Infinity]) => ({
        arrays: {},
        params: { quantile, kappa },
        warnings: [],
      })),
    );
  },
  bind(engine, state) {
    const kappa = numberTensor(engine, stateNumber(state, "kappa"));
    return {
      score: (block) => block.energyOf(engine.ops.minimum(block.features, kappa)),
      dispose: () => {
        kappa.dispose();
      },
    };
  },
};
