/** NuSA: the share of a feature's length that the classifier's weights see. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { eigh, qr, svd } from "../../linalg/index.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, stateArray } from "../arrays.ts";
import type { NamedArray, Score } from "../score.ts";
import { columns } from "../spectrum.ts";

/**
 * Where the Gram matrix of W's shorter side spreads over less than this, f32 tells for certain that W
 * has full rank: its eigenvalues err by some 1e-7 of the largest.
 */
const CERTAIN = 1e-5;

/** An orthonormal basis of the row space if W clearly has full rank, without singular values. */
async function fullRankBasis(engine: Engine, w: Tensor): Promise<NamedArray | null> {
  const { ops } = engine;
  const [classes = 0, dim = 0] = w.shape;
  const isTall = classes >= dim;
  const gram = ops.matmul(w, w, null, isTall ? { transposeA: true } : { transposeB: true });
  const { values, vectors } = await eigh(engine, gram);
  if (!(at(values, values.length - 1) > CERTAIN * at(values, 0))) return null;
  const basis = isTall ? vectors : (await qr(engine, ops.permute(w, { axes: [1, 0] }))).q;
  return { shape: basis.shape, values: await basis.floats() };
}

/** The right singular vectors of singular values above rcond times the largest. */
async function basisBySvd(engine: Engine, w: Tensor, rcond: number): Promise<NamedArray> {
  const { values, v } = await svd(engine, w);
  const rank = values.filter((value) => value > rcond * at(values, 0)).length;
  return columns({ shape: v.shape, values: await v.floats() }, 0, rank);
}

/** ‖V_Wᵀ h‖/‖h‖, V_W an orthonormal basis of the row space of W. Cook et al., 2020. */
export const nusa: Score = {
  name: "nusa",
  aliases: [],
  title: "NuSA",
  needs: ["features", "head"],
  async fit({ engine, head, options }) {
    const { weight, classes, dim } = head ?? { weight: new Float32Array(), classes: 0, dim: 0 };
    return engine.scope(async () => {
      const w = engine.tensor(weight, [classes, dim]);
      const basis =
        (await fullRankBasis(engine, w)) ?? (await basisBySvd(engine, w, options.rcond));
      const rank = at(basis.shape, 1);
      return {
        arrays: { basis },
        params: { rank },
        warnings:
          rank === dim
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
