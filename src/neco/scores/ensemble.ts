/** Ensemble: confidence of several models together, such as of one recipe under several seeds. */
import { logMaxProbability, readLogitStats } from "../logits.ts";
import { logMeanProbability } from "../meanSoftmax.ts";
import { chooseParameters, oneWord } from "../parameters.ts";
import type { Score } from "../score.ts";

const NAME = "ensemble";

const parameters = {
  // Not searched: with two means there is little to choose, and nothing to fit.
  mean: { ...oneWord("logits", ["probabilities"]), grid: [] },
};

/**
 * log max_c of the softmax of the models' mean logits, as OpenOOD has it; of the mean of their softmax
 * with `mean` = probabilities (Lakshminarayanan et al., 2017).
 */
export const ensemble: Score = {
  name: NAME,
  aliases: [],
  title: "Ensemble",
  needs: ["logits", "peers"],
  parameters,
  fit: ({ options }) =>
    Promise.resolve({
      arrays: {},
      params: chooseParameters(NAME, parameters, options),
      warnings: [],
    }),
  bind(engine, state) {
    const { ops } = engine;
    return {
      async score(block) {
        const models = [block.needLogits(), ...(await block.needPeers())]; // M × [B, C]
        if (state.params["mean"] === "probabilities") return logMeanProbability(engine, models);
        const total = models.reduce((a, b) => ops.add(a, b));
        const mean = ops.affine(total, { scale: 1 / models.length });
        return logMaxProbability(await readLogitStats(engine, mean));
      },
      dispose: () => undefined,
    };
  },
};
