/** Relation: how strongly a sample is tied to the training samples, by features and by predictions. */
import { stateArray, stateNumber } from "../arrays.ts";
import { numberTensor } from "../numberTensor.ts";
import { eachChunk, normalised, wholeBank } from "../bank.ts";
import { addTo } from "../groups.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { jointly } from "../score.ts";
import type { Score } from "../score.ts";

const parameters = { power: numeric(1, { min: 0, grid: [1, 2, 4, 6, 8] }) };

/** Weaker ties do not count, as published. */
const THRESHOLD = 0.03;

/** Σ_i k_i^pow over the k_i above 0.03, k_i = max(0, cos(h, h_i)) · ⟨p, p_i⟩, over the training set. Kim et al., 2023. */
export const relation: Score = {
  name: "relation",
  aliases: [],
  title: "Relation",
  needs: ["features", "logits"],
  parameters,
  fit(context) {
    const { engine, options } = context;
    const params = chooseParameters("relation", parameters, options);
    const features = wholeBank(context, "features", (block) => normalised(engine, block.features));
    const predictions = wholeBank(context, "predictions", (block) =>
      engine.ops.softmax(block.needLogits()),
    );
    return Promise.resolve(
      jointly([features, predictions], ([own, theirs]) => ({
        arrays: {
          ...(own ? { features: stateArray(own, "bank") } : {}),
          ...(theirs ? { predictions: stateArray(theirs, "bank") } : {}),
        },
        params,
        warnings: [],
      })),
    );
  },
  bind(engine, state) {
    const banks = [stateArray(state, "features"), stateArray(state, "predictions")];
    const power = numberTensor(engine, stateNumber(state, "power"));
    const threshold = numberTensor(engine, THRESHOLD);
    return {
      async score(block) {
        const { ops } = engine;
        const h = normalised(engine, block.features);
        const p = ops.softmax(block.needLogits());
        const totals = new Float64Array(block.rows);
        await eachChunk(engine, banks, block.rows, async ([features, predictions]) => {
          if (!features || !predictions) return;
          const across = { transposeB: true } as const;
          const ties = ops.mul(
            ops.relu(ops.matmul(h, features, null, across)),
            ops.matmul(p, predictions, null, across),
          );
          const counted = ops.mul(ops.greater(ties, threshold), ops.pow(ties, power));
          addTo(totals, await ops.sum(counted, { axes: [1] }).floats());
        });
        return totals;
      },
      dispose: () => {
        power.dispose();
        threshold.dispose();
      },
    };
  },
};
