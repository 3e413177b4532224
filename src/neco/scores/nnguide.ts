/** NNGuide: energy, weighed by the likeness to confident training features. */
import { at } from "../../util/shape.ts";
import { stateArray, stateNumber } from "../arrays.ts";
import { firstRows, nearest, normalised } from "../bank.ts";
import { logSumExp } from "../logits.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { afterwards } from "../score.ts";
import type { Score } from "../score.ts";

const parameters = {
  k: numeric(100, { min: 1, isInteger: true, grid: [10, 50, 100] }),
  share: numeric(0.01, { min: 0, max: 1 }),
};

/**
 * E(z) · mean of the k largest ⟨ĥ, ĥ_i E(z_i)⟩, E the energy, ĥ = h/‖h‖, over the first share of the
 * training features (at least k of them). Park et al., 2023.
 */
export const nnguide: Score = {
  name: "nnguide",
  aliases: [],
  title: "NNGuide",
  needs: ["features", "logits"],
  parameters,
  fit(context) {
    const { engine, train, options } = context;
    const { k, share } = chooseParameters("nnguide", parameters, options);
    const { ops } = engine;
    const rows = Math.min(train.count, Math.max(k, Math.ceil(share * train.count)));
    const perRow = { axes: [1], keepDims: true } as const;
    const bank = firstRows(context, rows, (block) => {
      const logits = block.needLogits();
      const largest = ops.max(logits, perRow);
      const others = ops.sum(ops.exp(ops.sub(logits, largest)), perRow);
      return ops.mul(normalised(engine, block.features), ops.add(largest, ops.log(others)));
    });
    return afterwards(bank, ({ arrays }) => ({ arrays, params: { k, share, rows }, warnings: [] }));
  },
  bind(engine, state) {
    const bank = stateArray(state, "bank");
    const k = stateNumber(state, "k");
    return {
      async score(block) {
        const query = normalised(engine, block.features);
        const guides = await nearest(engine, query, bank, k);
        const means = await engine.ops.mean(guides, { axes: [1] }).floats();
        const energies = logSumExp(await block.logitStats());
        return energies.map((energy, row) => energy * at(means, row));
      },
      dispose: () => undefined,
    };
  },
};
