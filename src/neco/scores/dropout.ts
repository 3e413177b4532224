/** Monte-Carlo dropout before the head: mean softmax over a few masks that all samples share. */
import { generator } from "../../util/random.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, stateArray } from "../arrays.ts";
import { applyHead } from "../block.ts";
import { logMeanProbability } from "../meanSoftmax.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { NamedArray, Score } from "../score.ts";

const parameters = {
  passes: numeric(5, { min: 1, isInteger: true }),
  rate: numeric(0.5, { min: 0, max: 0.999 }),
  seed: numeric(0, { min: 0, isInteger: true }),
};

/** 0 with the rate's probability, else 1/(1 − rate): [passes, D]. */
function drawMasks(
  dim: number,
  choice: { passes: number; rate: number; seed: number },
): NamedArray {
  const { passes, rate, seed } = choice;
  const next = generator({ seed });
  const draw = (): number => (next() < rate ? 0 : 1 / (1 - rate));
  return { shape: [passes, dim], values: Float32Array.from({ length: passes * dim }, draw) };
}

/**
 * log max_c of the mean over masks m of softmax(W (m ⊙ h) + b). Gal and Ghahramani, 2016; dropped where
 * OpenOOD drops. All samples get the same masks, drawn by the seed, so that a sample's score does not
 * depend on what it is judged beside.
 */
export const dropout: Score = {
  name: "dropout",
  aliases: ["mc-dropout"],
  title: "MC dropout",
  needs: ["features", "head"],
  parameters,
  fit({ train, options }) {
    const params = chooseParameters("dropout", parameters, options);
    return Promise.resolve({
      arrays: { masks: drawMasks(train.dim, params) },
      params,
      warnings: [],
    });
  },
  bind(engine, state) {
    const { ops } = engine;
    const masks = arrayTensor(engine, stateArray(state, "masks"));
    const passes = at(masks.shape, 0);
    return {
      async score(block) {
        const logits = Array.from({ length: passes }, (_, pass) => {
          const mask = ops.slice(masks, { axis: 0, start: pass, end: pass + 1 }); // [1, D]
          return applyHead(engine, ops.mul(block.features, mask), block.needHead());
        });
        return logMeanProbability(engine, logits);
      },
      dispose: () => {
        masks.dispose();
      },
    };
  },
};
