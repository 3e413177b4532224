/** NuSA: the share of a feature's length that the classifier's weights see. */
import { svd } from "../../linalg/index.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, stateArray } from "../arrays.ts";
import type { Score } from "../score.ts";
import { columns } from "../spectrum.ts";

/** ‖V_Wᵀ h‖/‖h‖, V_W an orthonormal basis of the row space of W. Cook et al., 2020. */
export const nusa: Score = {
  name: "nusa",
  aliases: [],
  title: "NuSA",
  needs: ["features", "head"],
  async fit({ engine, head, options }) {
    const { weight, classes, dim } = head ?? { weight: new Float32Array(), classes: 0, dim: 0 };
    return engine.scope(async () => {
      const { values, v } = await svd(engine, engine.tensor(weight, [classes, dim]));
      const rank = values.filter((value) => value > options.rcond * at(values, 0)).length;
      const basis = columns({ shape: v.shape, values: await v.floats() }, 0, rank);
      const isWhole = rank === dim;
      return {
        arrays: { basis },
        params: { rank },
        warnings: isWhole
          ? ["nusa: the weights span all feature dimensions, so every score is 1"]
          : [],
      };
    });
  },
  bind(engine, state) {
    const basis = arrayTensor(engine, stateArray(state, "basis"));
    const isWhole = basis.shape[0] === basis.shape[1];
    return {
      async score({ rows, features }) {
        if (isWhole) return new Float64Array(rows).fill(1); // else rounding would rank the samples
        const { ops } = engine;
        const perRow = { axes: [1] } as const;
        const seen = await ops.sum(ops.square(ops.matmul(features, basis)), perRow).floats();
        const all = await ops.sum(ops.square(features), perRow).floats();
        return Float64Array.from(seen, (square, row) =>
          at(all, row) > 0 ? Math.sqrt(square / at(all, row)) : 0,
        );
      },
      dispose: () => {
        basis.dispose();
      },
    };
  },
};
