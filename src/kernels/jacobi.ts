/** One round of one-sided Jacobi, as a statement on the state of src/linalg. */
import { jacobiRotate as rotateShader } from "../../shaders/jacobiRotate.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, sameShape } from "../util/shape.ts";
import { pairsPerRound } from "../util/tournament.ts";
import { defineOp, need } from "./op.ts";
import { u, writes } from "./pass.ts";
import { remember } from "./remember.ts";
import { rowGrid, rowVariants } from "./rows.ts";

/** Which pairing of the tournament the round plays. */
type Round = Readonly<{ round: number }>;
const firstRound: Round = { round: 0 };

const codes = new Map<string, string>();

/**
 * Rotates the pairs of one round: rows [count, length] become pairwise more orthogonal, turns
 * [count, count] take the same rotations, worst [pairs] keeps the largest cosine met.
 */
export const jacobiRotate = defineOp({
  name: "jacobiRotate",
  inputs: ["rows", "turns", "worst"],
  outputs: [],
  mutates: [0, 1, 2],
  defaults: firstRound,
  infer(inputs, { round }) {
    const { shape: rows } = need(inputs, 0);
    const count = rows[0] ?? 0;
    if (rows.length !== 2 || count === 0)
      throw new ShapeError("jacobiRotate", "rows must be [count, length]", { rows });
    const { shape: turns } = need(inputs, 1);
    if (!sameShape(turns, [count, count]))
      throw new ShapeError("jacobiRotate", "turns must be [count, count]", { rows, turns });
    const { shape: worst } = need(inputs, 2);
    if (!sameShape(worst, [pairsPerRound(count)]))
      throw new ShapeError("jacobiRotate", "worst must be [pairs]", { rows, worst });
    if (!Number.isInteger(round) || round < 0)
      throw new ShapeError("jacobiRotate", `round ${round} does not exist`, { rows });
    return [];
  },
  variants: rowVariants<Round>((layout, inputs, { round }, caps) => {
    const { shape } = need(inputs, 0);
    const [count, length] = [at(shape, 0), at(shape, 1)];
    const pairs = pairsPerRound(count);
    return {
      temps: [],
      passes: [
        {
          label: "jacobiRotate",
          code: remember(codes, layout, () => rotateShader(layout)),
          bindings: writes("in0", "in1", "in2"),
          params: [u(count), u(length), u(round)],
          grid: rowGrid(pairs, layout, caps),
          flops: pairs * (12 * length + 6 * count),
          bytes: pairs * (24 * length + 16 * count),
        },
      ],
    };
  }),
  grad: null, // a step of an iterative algorithm with state; svd has no gradient
});
