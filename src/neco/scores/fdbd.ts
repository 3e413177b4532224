/** fDBD: mean distance to the decision boundaries of the other classes, against the feature's distance from the mean. */
import type { Head } from "../../io/index.ts";
import { arrayTensor, splitTensor, splitVector, stateArray, subtractSplit } from "../arrays.ts";
import { squaredGaps } from "../../linalg/index.ts";
import { safeLengths } from "../numberTensor.ts";
import { chooseParameters, oneWord } from "../parameters.ts";
import type { NamedArray, Score } from "../score.ts";

const parameters = { norm: oneWord("centred", ["raw"]) };

/**
 * 1/‖w_c − w_k‖, 0 where the rows are equal: [C, C]. Difference by difference, since the expanded
 * square would cancel; on the host, where a pair is one loop over cached rows: GPU passes would
 * write all C² · D differences to memory (7 s for 1,000 classes of 768 on a software adapter, 0.5 s so).
 */
function inverseGaps({ weight, classes, dim }: Head): NamedArray {
  const rows = Float64Array.from(weight);
  const values = new Float32Array(classes * classes);
  for (let c = 0; c < classes; c++) {
    const before = Array.from({ length: c }, (_, k) => k);
    const squares = squaredGaps(rows.subarray(c * dim, (c + 1) * dim), rows, before);
    for (const [k, square] of squares.entries())
      values[c * classes + k] = values[k * classes + c] = square > 0 ? 1 / Math.sqrt(square) : 0;
  }
  return { shape: [classes, classes], values };
}

/** Σ_c |z_c − z_ŷ|/‖w_c − w_ŷ‖ over ‖h − μ‖, or over ‖h‖. Liu and Qin, 2024. */
export const fdbd: Score = {
  name: "fdbd",
  aliases: [],
  title: "fDBD",
  needs: ["features", "logits", "head"],
  parameters,
  fit({ train, head, options }) {
    const { norm } = chooseParameters("fdbd", parameters, options);
    const mean = norm === "centred" ? train.mean : new Float64Array(train.dim);
    return Promise.resolve({
      arrays: {
        mean: splitVector(mean),
        ...(head ? { inverse_gaps: inverseGaps(head) } : {}),
      },
      params: { norm },
      warnings: [],
    });
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
        return Float64Array.from(await ops.div(distance, safeLengths(engine, length)).floats());
      },
      dispose: () => {
        for (const tensor of [mean.hi, mean.lo, inverse]) tensor.dispose();
      },
    };
  },
};
