/** NCI: how far a feature points, from the training mean, along the weight of its class, plus its length. */
import { splitTensor, splitVector, stateArray, stateNumber, subtractSplit } from "../arrays.ts";
import { safeLengths } from "../numberTensor.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";

const parameters = {
  alpha: numeric(1e-4, { min: 0, grid: [1e-4, 1e-3, 1e-2, 1e-1] }),
};

/** ⟨w_ŷ, h − μ⟩/‖h − μ‖ + α‖h‖₁. Liu and Qin, 2025. */
export const nci: Score = {
  name: "nci",
  aliases: [],
  title: "NCI",
  needs: ["features", "logits", "head"],
  parameters,
  fit({ train, options }) {
    return Promise.resolve({
      arrays: { mean: splitVector(train.mean) },
      params: chooseParameters("nci", parameters, options),
      warnings: [],
    });
  },
  bind(engine, state) {
    const mean = splitTensor(engine, stateArray(state, "mean"));
    const alpha = stateNumber(state, "alpha");
    return {
      async score(block) {
        const { ops } = engine;
        const perRow = { axes: [1] } as const;
        const { predicted } = await block.logitStats();
        const own = ops.gather(block.needHead().weight, engine.tensor(predicted, [block.rows])); // [B, D]
        const centred = subtractSplit(engine, block.features, mean);
        const length = ops.sqrt(ops.sum(ops.square(centred), perRow));
        const along = ops.div(ops.sum(ops.mul(own, centred), perRow), safeLengths(engine, length));
        const size = ops.sum(ops.abs(block.features), perRow);
        return Float64Array.from(await ops.add(along, ops.affine(size, { scale: alpha })).floats());
      },
      dispose: () => {
        for (const tensor of [mean.hi, mean.lo]) tensor.dispose();
      },
    };
  },
};
