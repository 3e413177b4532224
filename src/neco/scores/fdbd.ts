/** fDBD: mean distance to the decision boundaries of the other classes, against the feature's distance from the mean. */
import type { Engine } from "../../engine/index.ts";
import type { Head } from "../../io/index.ts";
import { arrayTensor, splitTensor, splitVector, stateArray, subtractSplit } from "../arrays.ts";
import { chooseParameters, oneWord } from "../parameters.ts";
import type { NamedArray, Score } from "../score.ts";

const parameters = { norm: oneWord("centred", ["raw"]) };

/** 1/‖w_c − w_k‖, 0 where the rows are equal: [C, C]. Row by row: the expanded square would cancel. */
async function inverseGaps(engine: Engine, { weight, classes, dim }: Head): Promise<NamedArray> {
  const { ops } = engine;
  const values = new Float32Array(classes * classes);
  await engine.scope(async () => {
    const rows = engine.tensor(weight, [classes, dim]);
    for (let c = 0; c < classes; c++) {
      const gaps = await engine.scope(() => {
        const own = ops.slice(rows, { axis: 0, start: c, end: c + 1 }); // [1, D]
        return ops.sqrt(ops.sum(ops.square(ops.sub(rows, own)), { axes: [1] })).floats();
      });
      values.set(
        gaps.map((gap) => (gap > 0 ? 1 / gap : 0)),
        c * classes,
      );
    }
  });
  return { shape: [classes, classes], values };
}

/** Σ_c |z_c − z_ŷ|/‖w_c − w_ŷ‖ over ‖h − μ‖, or over ‖h‖. Liu and Qin, 2024. */
export const fdbd: Score = {
  name: "fdbd",
  aliases: [],
  title: "fDBD",
  needs: ["features", "logits", "head"],
  parameters,
  async fit({ engine, train, head, options }) {
    const { norm } = chooseParameters("fdbd", parameters, options);
    const mean = norm === "centred" ? train.mean : new Float64Array(train.dim);
    return {
      arrays: {
        mean: splitVector(mean),
        ...(head ? { inverse_gaps: await inverseGaps(engine, head) } : {}),
      },
      params: { norm },
      warnings: [],
    };
  },
  bind(engine, state) {
    const mean = splitTensor(engine, stateArray(state, "mean"));
    const inverse = arrayTensor(engine, stateArray(state, "inverse_gaps"));
    return {
      async score(block) {
        const { ops } = engine;
        const perRow = { axes: [1] } as const;
        const logits = block.needLogits();
        const { predicted } = await block.logitStats();
        const own = ops.gather(inverse, engine.tensor(predicted, [block.rows])); // [B, C]
        const drops = ops.sub(ops.max(logits, { axes: [1], keepDims: true }), logits);
        const distance = ops.sum(ops.mul(drops, own), perRow);
        const offset = subtractSplit(engine, block.features, mean);
        const length = ops.sqrt(ops.sum(ops.square(offset), perRow));
        return Float64Array.from(await ops.div(distance, length).floats());
      },
      dispose: () => {
        for (const tensor of [mean.hi, mean.lo, inverse]) tensor.dispose();
      },
    };
  },
};
