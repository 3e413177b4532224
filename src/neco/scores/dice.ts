/** DICE: energy from the weights that contribute most on the training set. */
import { at } from "../../util/shape.ts";
import { arrayTensor, stateArray } from "../arrays.ts";
import { applyHead } from "../block.ts";
import { logSumExp, readLogitStats } from "../logits.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";

const parameters = { percentile: numeric(90, { min: 0, max: 100 }) };

/** The percentile of values, interpolated linearly as numpy does. */
function percentileOf(values: Float64Array, percentile: number): number {
  const ascending = values.slice().sort();
  const position = (percentile / 100) * (ascending.length - 1);
  const low = at(ascending, Math.floor(position));
  return low + (at(ascending, Math.ceil(position)) - low) * (position - Math.floor(position));
}

/**
 * log Σ exp((W ⊙ M) h + b), M = 1 where W_cj · mean(h)_j is above a percentile of all such
 * contributions. Sun and Li, 2022.
 */
export const dice: Score = {
  name: "dice",
  aliases: [],
  title: "DICE",
  needs: ["features", "head"],
  parameters,
  fit({ train, head, options }) {
    const { percentile } = chooseParameters("dice", parameters, options);
    const { weight, classes, dim } = head ?? { weight: new Float32Array(), classes: 0, dim: 0 };
    const contributions = Float64Array.from(
      weight,
      (value, index) => value * at(train.mean, index % dim),
    );
    const threshold = percentileOf(contributions, percentile);
    const values = weight.map((value, index) => (at(contributions, index) > threshold ? value : 0));
    return Promise.resolve({
      arrays: { weight: { shape: [classes, dim], values } },
      params: { percentile, threshold },
      warnings: [],
    });
  },
  bind(engine, state) {
    const weight = arrayTensor(engine, stateArray(state, "weight"));
    return {
      async score(block) {
        const masked = { ...block.needHead(), weight };
        return logSumExp(await readLogitStats(engine, applyHead(engine, block.features, masked)));
      },
      dispose: () => {
        weight.dispose();
      },
    };
  },
};
