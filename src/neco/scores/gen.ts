/** GEN: generalized entropy of the largest softmax probabilities, negated. */
import { at } from "../../util/shape.ts";
import { stateNumber } from "../arrays.ts";
import { relativeLogits } from "../logits.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";

const parameters = {
  gamma: numeric(0.1, { min: 0, grid: [0.01, 0.1, 0.5, 1, 2, 5, 10] }),
  top: numeric(100, { min: 1, isInteger: true, grid: [10, 50, 100, 200, 500, 1000] }),
};

/**
 * −Σ over the M largest p of p^γ (1 − p)^γ. Liu et al., 2023. The largest p's term is exp(γ(log S −
 * 2 log1p(S))) on the host, S = Σ exp(z − z_max) of the others, which are summed beside the second's.
 */
export const gen: Score = {
  name: "gen",
  aliases: [],
  title: "GEN",
  needs: ["logits"],
  parameters,
  fit({ options }) {
    const params = chooseParameters("gen", parameters, options);
    return Promise.resolve({ arrays: {}, params, warnings: [] });
  },
  bind(engine, state) {
    const gamma = stateNumber(state, "gamma");
    const top = stateNumber(state, "top");
    return {
      async score(block) {
        const { ops } = engine;
        const all = block.needLogits();
        const classes = at(all.shape, 1);
        const { logOthers } = await block.logitStats();
        const logTotals = logOthers.map((logSum) => Math.log1p(Math.exp(logSum)));
        const kept = top < classes ? ops.topk(all, { k: top }) : all;
        const { below, belowSecond, isOther, gap } = relativeLogits(engine, kept);
        const logTotal = engine.tensor(Float32Array.from(logTotals), [block.rows, 1]);
        const p = ops.mul(isOther, ops.exp(ops.sub(below, logTotal))); // at most ½
        const logRest = ops.log(ops.affine(p, { scale: -1, shift: 1 }));
        const exponents = ops.add(ops.sub(belowSecond, logTotal), logRest);
        const terms = ops.mul(isOther, ops.exp(ops.affine(exponents, { scale: gamma })));
        const tails = await ops.sum(terms, { axes: [1] }).floats();
        const gaps = await gap.floats();
        return logOthers.map((logSum, row) => {
          const largest = Math.exp(gamma * (logSum - 2 * at(logTotals, row)));
          return -largest - Math.exp(gamma * at(gaps, row)) * at(tails, row);
        });
      },
      dispose: () => undefined,
    };
  },
};
