/** SHE: likeness to the mean of the training samples that were rightly given the same class. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, matrixArray, stateArray } from "../arrays.ts";
import { addTo, groupSums, rightLabels } from "../groups.ts";
import { classRows } from "../moments.ts";
import { safeLengths } from "../numberTensor.ts";
import { chooseParameters, oneWord } from "../parameters.ts";
import type { Calibration, FitContext, Score } from "../score.ts";

const parameters = { likeness: oneWord("inner", ["cosine", "euclidean"]) };

function calibrate({ engine, train }: FitContext, likeness: string): Calibration {
  const { dim, name } = train;
  let sums = new Float64Array();
  let counts = new Float64Array();
  return {
    async observe(block) {
      if (!block.labels) throw new DataError(`${name}: labels are missing`);
      const classes = at(block.needLogits().shape, 1);
      if (counts.length === 0)
        [sums, counts] = [new Float64Array(classes * dim), new Float64Array(classes)];
      const { predicted } = await block.logitStats();
      const right = rightLabels(block.labels, predicted);
      for (const label of right) if (label >= 0) counts[label] = at(counts, label) + 1;
      addTo(sums, await groupSums(engine, block.features, right, classes));
    },
    finish() {
      const missing = counts.reduce((total, count) => total + (count === 0 ? 1 : 0), 0);
      const patterns = sums.map((sum, index) => sum / at(counts, Math.floor(index / dim)));
      const own = train.classes && classRows(train.classes.labels);
      for (const [label, count] of counts.entries()) {
        if (count > 0) continue;
        const row = own?.get(label);
        for (let column = 0; column < dim; column++)
          patterns[label * dim + column] =
            row === undefined || !train.classes ? 0 : at(train.classes.means, row * dim + column);
      }
      return Promise.resolve({
        arrays: { patterns: matrixArray(patterns, counts.length, dim) },
        params: { likeness },
        warnings:
          missing > 0
            ? [
                `she: ${missing} of ${counts.length} classes have no rightly predicted training sample; the mean of all their samples stands in`,
              ]
            : [],
      });
    },
  };
}

/** Likeness of each row of h to its row of m: [B]. */
function likenessOf(engine: Engine, likeness: string, h: Tensor, m: Tensor): Tensor {
  const { ops } = engine;
  const perRow = { axes: [1] } as const;
  const norm = (x: Tensor): Tensor => ops.sqrt(ops.sum(ops.square(x), perRow));
  if (likeness === "euclidean") return ops.neg(norm(ops.sub(h, m)));
  const inner = ops.sum(ops.mul(h, m), perRow);
  if (likeness === "inner") return inner;
  return ops.div(inner, ops.mul(safeLengths(engine, norm(h)), safeLengths(engine, norm(m))));
}

/** ⟨h, mean of the rightly predicted training features of class ŷ⟩; also by cosine or −distance. Zhang et al., 2023. */
export const she: Score = {
  name: "she",
  aliases: [],
  title: "SHE",
  needs: ["features", "labels", "logits"],
  parameters,
  fit: (context) =>
    Promise.resolve(
      calibrate(context, chooseParameters("she", parameters, context.options).likeness),
    ),
  bind(engine, state) {
    const patterns = arrayTensor(engine, stateArray(state, "patterns"));
    const likeness = String(state.params["likeness"]);
    return {
      async score(block) {
        const { predicted } = await block.logitStats();
        const own = engine.ops.gather(patterns, engine.tensor(predicted, [block.rows])); // [B, D]
        return Float64Array.from(await likenessOf(engine, likeness, block.features, own).floats());
      },
      dispose: () => {
        patterns.dispose();
      },
    };
  },
};
