/** MSP: the largest softmax probability, as its logarithm, which ranks the same and never saturates. */
import { logMaxProbability } from "../logits.ts";
import { emptyState } from "../score.ts";
import type { Score } from "../score.ts";

/** log max_c p_c = −log1p(Σ of the others relative to the largest). Hendrycks and Gimpel, 2017. */
export const msp: Score = {
  name: "msp",
  aliases: ["maxsoftmax"],
  title: "MSP",
  needs: ["logits"],
  fit: () => Promise.resolve(emptyState),
  bind: () => ({
    score: async (block) => logMaxProbability(await block.logitStats()),
    dispose: () => undefined,
  }),
};
