/** VRA: energy after clipping activations at both ends of the training set's. */
import { UsageError } from "../../util/errors.ts";
import { stateNumber } from "../arrays.ts";
import { numberTensor } from "../numberTensor.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { calibrateQuantiles } from "../quantiles.ts";
import type { Score } from "../score.ts";

const parameters = {
  high: numeric(0.9, { min: 0, max: 1, grid: [0.85, 0.9, 0.95, 0.99] }),
  low: numeric(0.1, { min: 0, max: 1, grid: [0.01, 0.05, 0.1, 0.15] }),
};

/** log Σ exp(W clip(h, κ_low, κ_high) + b), both quantiles of all training activations. Xu et al., 2023. */
export const vra: Score = {
  name: "vra",
  aliases: [],
  title: "VRA",
  needs: ["features", "head"],
  parameters,
  fit({ train, options }) {
    const { high, low } = chooseParameters("vra", parameters, options);
    if (low >= high) throw new UsageError(`vra.low ${low} is not below vra.high ${high}`);
    return Promise.resolve(
      calibrateQuantiles(train, [low, high], ([floor = -Infinity, ceiling = Infinity]) => ({
        arrays: {},
        params: { low, high, floor, ceiling },
        warnings: [],
      })),
    );
  },
  bind(engine, state) {
    const { ops } = engine;
    const floor = numberTensor(engine, stateNumber(state, "floor"));
    const ceiling = numberTensor(engine, stateNumber(state, "ceiling"));
    return {
      score: (block) => block.energyOf(ops.minimum(ops.maximum(block.features, floor), ceiling)),
      dispose: () => {
        floor.dispose();
        ceiling.dispose();
      },
    };
  },
};
