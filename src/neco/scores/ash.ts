/** ASH: energy after pruning a sample's small activations, and reshaping the others in one of three ways. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { stateNumber } from "../arrays.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";
import { sharpening, topShare } from "../topShare.ts";
import type { TopShare } from "../topShare.ts";

const parameters = {
  percentile: numeric(65, {
    min: 0,
    max: 100,
    presets: { openood: 90 },
    grid: [65, 70, 75, 80, 85, 90, 95],
  }),
};

type Reshape = (engine: Engine, features: Tensor, top: TopShare) => Tensor;

const ash = (name: string, title: string, aliases: string[], reshape: Reshape): Score => ({
  name,
  aliases,
  title,
  needs: ["features", "head"],
  parameters,
  fit({ options }) {
    const params = chooseParameters(name, parameters, options);
    return Promise.resolve({ arrays: {}, params, warnings: [] });
  },
  bind(engine, state) {
    const percentile = stateNumber(state, "percentile");
    return {
      score: (block) =>
        block.energyOf(reshape(engine, block.features, topShare(engine, block, percentile))),
      dispose: () => undefined,
    };
  },
});

/** Kept activations become Σh / kept. Djurisic et al., 2023; OpenOOD's `ash`. */
export const ashB = ash("ash-b", "ASH-B", ["ash", "ash_b"], ({ ops }, _features, top) =>
  ops.mul(top.weights, ops.affine(top.total, { scale: 1 / top.kept })),
);

/** Kept activations stay as they are. */
export const ashP = ash("ash-p", "ASH-P", ["ash_p"], ({ ops }, features, { weights }) =>
  ops.mul(features, weights),
);

/** Kept activations are multiplied by exp(Σ all / Σ kept). */
export const ashS = ash("ash-s", "ASH-S", ["ash_s"], (engine, features, top) =>
  engine.ops.mul(engine.ops.mul(features, top.weights), sharpening(engine, top)),
);
