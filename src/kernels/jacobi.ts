/** The steps of a block Jacobi: small rotations, and rows that are turned by them in place. */
import { addRows as addRowsShader } from "../../shaders/addRows.wgsl.ts";
import { jacobiTurn as turnShader } from "../../shaders/jacobiTurn.wgsl.ts";
import { JACOBI_SIDE } from "../util/blocks.ts";
import { ShapeError } from "../util/errors.ts";
import { at, meta, sameShape, show, sizeOf } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { Caps, InputMetas, Pass, Plan } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, foldGrid, reads, u, writes } from "./pass.ts";

/** Lanes of a matrix: 4 blocks of 2 × 2 for each, or 1 on GPUs, which wait for every block. */
const TURN_LANES = 64;
const WIDE_TURN_LANES = 256;

function turnPlan(inputs: InputMetas, sweeps: number, lanes: number, caps: Caps): Plan {
  const { shape } = need(inputs, 0);
  const count = at(shape, 0);
  const cube = JACOBI_SIDE ** 3;
  const pass: Pass = {
    label: `jacobiTurn change ${show(shape)}`,
    code: turnShader({ lanes, side: JACOBI_SIDE }),
    bindings: [...reads("in0"), ...writes("out0")],
    params: [u(count), u(sweeps)],
    grid: foldGrid(count, caps),
    flops: 9 * count * sweeps * cube,
    bytes: (8 * count * cube) / JACOBI_SIDE,
  };
  return { temps: [], passes: count === 0 ? [] : [pass] };
}

/**
 * T − I [P, 32, 32] for symmetric positive semidefinite matrices G [P, 32, 32]: T is orthogonal and
 * T G Tᵀ diagonal up to what `sweeps` rounds over all pairs leave.
 */
export const jacobiTurn = defineOp({
  name: "jacobiTurn",
  inputs: ["gram"],
  outputs: ["change"],
  defaults: { sweeps: 6 },
  infer(inputs, { sweeps }) {
    const { shape } = needDtype("jacobiTurn", inputs, [0, "gram"]);
    if (shape.length !== 3 || !sameShape(shape.slice(1), [JACOBI_SIDE, JACOBI_SIDE]))
      throw new ShapeError("jacobiTurn", `gram must be [P, ${JACOBI_SIDE}, ${JACOBI_SIDE}]`, {
        gram: shape,
      });
    if (!Number.isInteger(sweeps) || sweeps < 1)
      throw new ShapeError("jacobiTurn", `sweeps is ${sweeps}, not a count`, { gram: shape });
    return [meta(shape)];
  },
  variants: {
    matrixPerWorkgroup: {
      usable: () => true,
      plan: (inputs, { sweeps }, caps) => turnPlan(inputs, sweeps, TURN_LANES, caps),
    },
    matrixPerWideWorkgroup: {
      usable: (_inputs, _attrs, { maxInvocations }) => maxInvocations >= WIDE_TURN_LANES,
      plan: (inputs, { sweeps }, caps) => turnPlan(inputs, sweeps, WIDE_TURN_LANES, caps),
    },
  },
  prefer: { gpu: ["matrixPerWideWorkgroup"] },
  grad: null, // a step of an iterative algorithm; svd has no gradient
});

/** table[indices[n], …] += change[n, …], in place; an index without a row adds nothing. */
export const addRows = defineOp({
  name: "addRows",
  inputs: ["table", "indices", "change"],
  outputs: [],
  mutates: [0],
  defaults: {},
  infer(inputs) {
    const { shape: table } = needDtype("addRows", inputs, [0, "table"]);
    const { shape: indices } = needDtype("addRows", inputs, [1, "indices"], "i32");
    const { shape: change } = needDtype("addRows", inputs, [2, "change"]);
    const wanted = [...indices, ...table.slice(1)];
    if (table.length === 0 || !sameShape(change, wanted))
      throw new ShapeError("addRows", "change must be one row of table per index", {
        table,
        indices,
        change,
      });
    return [];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, _attrs, caps) {
        const [{ shape: table }, { shape: change }] = [need(inputs, 0), need(inputs, 2)];
        const cols = sizeOf(table.slice(1));
        const count = sizeOf(change);
        const width = flatWidth(cols);
        return {
          temps: [],
          passes: [
            {
              label: `addRows ${show(change)} to ${show(table)}`,
              code: addRowsShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...writes("in0"), ...reads("in1", "in2")],
              params: [u(count / width), u(at(table, 0)), u(cols / width)],
              grid: elementGrid(count / width, caps),
              flops: count,
              bytes: 12 * count,
            },
          ],
        };
      },
    },
  },
  grad: null, // a statement on state
});
