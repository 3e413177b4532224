/** MaxLogit: the largest logit. */
import { emptyState } from "../score.ts";
import type { Score } from "../score.ts";

/** max_c z_c. Hendrycks et al., 2022. */
export const maxlogit: Score = {
  name: "maxlogit",
  aliases: ["mls"],
  title: "MaxLogit",
  needs: ["logits"],
  fit: () => Promise.resolve(emptyState),
  bind: () => ({
    score: async (block) => (await block.logitStats()).largest,
    dispose: () => undefined,
  }),
};
