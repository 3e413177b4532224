/** Entropy of the softmax, negated. */
import { at } from "../../util/shape.ts";
import { relativeLogits } from "../logits.ts";
import { emptyState } from "../score.ts";
import type { Score } from "../score.ts";

/**
 * Σ_c p_c log p_c. With e_c = exp(z_c − z_max) and S their sum over the others: −log1p(S) −
 * Σ_others e_c (z_max − z_c)/(1 + S), summed beside the second's e, so that confident samples stay
 * apart where 1 − p vanishes in f32.
 */
export const entropy: Score = {
  name: "entropy",
  aliases: [],
  title: "Entropy",
  needs: ["logits"],
  fit: () => Promise.resolve(emptyState),
  bind: (engine) => ({
    async score(block) {
      const { ops } = engine;
      const { below, isOther, belowSecond, gap } = relativeLogits(engine, block.needLogits());
      const terms = ops.mul(ops.mul(isOther, ops.exp(belowSecond)), ops.neg(below));
      const tails = await ops.sum(terms, { axes: [1] }).floats();
      const gaps = await gap.floats();
      const { logOthers } = await block.logitStats();
      return logOthers.map((logSum, row) => {
        const others = Math.exp(logSum);
        return -Math.log1p(others) - (Math.exp(at(gaps, row)) * at(tails, row)) / (1 + others);
      });
    },
    dispose: () => undefined,
  }),
};
