/** Relative Mahalanobis: the distance to the nearest class, less the distance to the whole training set. */
import { at } from "../../util/shape.ts";
import {
  arrayTensor,
  rowSumSquares,
  splitTensor,
  splitVector,
  stateArray,
  subtractSplit,
} from "../arrays.ts";
import { jointly } from "../score.ts";
import type { Calibration, FitContext, Score } from "../score.ts";
import { calibrateWhitening } from "../whiten.ts";
import { bindClassDistance, fitClassDistance, releaseClassDistance } from "./mahalanobis.ts";

/** The mean of all training features and the whitening of their covariance. */
function fitBackground(context: FitContext): Calibration {
  const { engine, train } = context;
  const mean = splitVector(train.mean);
  return calibrateWhitening(context, {
    rowsOf: (block) => subtractSplit(engine, block.features, splitTensor(engine, mean)),
    emptiness: "every sample is the same; leave rmds out",
    stateOf: (whiten) => ({
      arrays: { background_mean: mean, background_whiten: whiten },
      params: { background_rank: at(whiten.shape, 1) },
      warnings: [],
    }),
  });
}

/** max_c −(h − μ_c)ᵀ Σ_w⁺ (h − μ_c) + (h − μ)ᵀ Σ⁺ (h − μ). Ren et al., 2021. */
export const rmds: Score = {
  name: "rmds",
  aliases: ["rmd"],
  title: "Relative Mahalanobis",
  needs: ["features", "labels"],
  fit: (context) =>
    Promise.resolve(
      jointly([fitClassDistance(context), fitBackground(context)], (states) => ({
        arrays: Object.fromEntries(states.flatMap(({ arrays }) => Object.entries(arrays))),
        params: Object.fromEntries(states.flatMap(({ params }) => Object.entries(params))),
        warnings: [],
      })),
    ),
  bind(engine, state) {
    const classes = bindClassDistance(engine, state);
    const mean = splitTensor(engine, stateArray(state, "background_mean"));
    const whiten = arrayTensor(engine, stateArray(state, "background_whiten"));
    return {
      async score(block) {
        const own = await classes.score(block);
        const offset = subtractSplit(engine, block.features, mean);
        const background = await rowSumSquares(engine, engine.ops.matmul(offset, whiten));
        return own.map((score, row) => score + at(background, row));
      },
      dispose: () => {
        releaseClassDistance(classes);
        for (const tensor of [mean.hi, mean.lo, whiten]) tensor.dispose();
      },
    };
  },
};
