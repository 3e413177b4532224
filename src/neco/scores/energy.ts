/** Energy: log Σ exp of the logits at temperature 1. */
import { logSumExp } from "../logits.ts";
import { emptyState } from "../score.ts";
import type { Score } from "../score.ts";

/** log Σ_c exp z_c. Liu et al., 2020. */
export const energy: Score = {
  name: "energy",
  aliases: ["ebo"],
  title: "Energy",
  needs: ["logits"],
  fit: () => Promise.resolve(emptyState),
  bind: () => ({
    score: async (block) => logSumExp(await block.logitStats()),
    dispose: () => undefined,
  }),
};
