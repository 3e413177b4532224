/** SCALE: energy after multiplying a sample's activations by what ASH-S multiplies the kept ones by. */
import { stateNumber } from "../arrays.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";
import { sharpening, topShare } from "../topShare.ts";

const parameters = {
  percentile: numeric(85, { min: 0, max: 100, grid: [65, 70, 75, 80, 85, 90, 95] }),
};

/** log Σ exp(W (h · exp(Σ all / Σ kept)) + b): nothing is pruned. Xu et al., 2024. */
export const scale: Score = {
  name: "scale",
  aliases: [],
  title: "SCALE",
  needs: ["features", "head"],
  parameters,
  fit({ options }) {
    const params = chooseParameters("scale", parameters, options);
    return Promise.resolve({ arrays: {}, params, warnings: [] });
  },
  bind(engine, state) {
    const percentile = stateNumber(state, "percentile");
    return {
      score(block) {
        const factor = sharpening(engine, topShare(engine, block, percentile)); // [B, 1]
        return block.energyOf(engine.ops.mul(block.features, factor));
      },
      dispose: () => undefined,
    };
  },
};
