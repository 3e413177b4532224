/** y = exp(x − max x) / Σ exp(x − max x), along the last axis. */
import { softmax as softmaxShader } from "../../shaders/softmax.wgsl.ts";
import { softmaxBackward as softmaxBackwardShader } from "../../shaders/softmaxBackward.wgsl.ts";
import { softmaxNarrow } from "../../shaders/softmaxNarrow.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { ceilDiv, sameShape, show } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Pass, Plan } from "./op.ts";
import { asRows, reads, u, writes } from "./pass.ts";
import { rowGrid, rowVariants } from "./rows.ts";
import type { RowLayout } from "./rows.ts";

/** Columns that a lane keeps in registers; more would spill, and take compilers seconds. */
const MAX_EACH = 32;

const columnsEach = ({ lanes }: RowLayout, inputs: InputMetas): number =>
  Math.max(1, ceilDiv(asRows(need(inputs, 0).shape).cols, lanes));

/** The plan of softmax by the kernel that a layout gets. */
function softmaxPlan(
  code: (layout: RowLayout, inputs: InputMetas) => string,
): (layout: RowLayout, inputs: InputMetas, attrs: Attrs, caps: Caps) => Plan {
  return (layout, inputs, _attrs, caps) => {
    const { shape } = need(inputs, 0);
    const { rows, cols } = asRows(shape);
    const pass: Pass = {
      label: `softmax y ${show(shape)}`,
      code: code(layout, inputs),
      bindings: [...reads("in0"), ...writes("out0")],
      params: [u(rows), u(cols)],
      grid: rowGrid(rows, layout, caps),
      flops: 5 * rows * cols,
      bytes: 8 * rows * cols,
    };
    return { temps: [], passes: [pass] };
  };
}

/** Rows that their lanes hold in registers are read once, wider ones three times. */
function softmaxVariants() {
  const narrow = rowVariants(
    softmaxPlan((layout, inputs) =>
      softmaxNarrow({ ...layout, each: columnsEach(layout, inputs) }),
    ),
    (layout, inputs) => columnsEach(layout, inputs) <= MAX_EACH,
  );
  const { rowPerSubgroup, rowPerWorkgroup } = rowVariants(softmaxPlan(softmaxShader));
  return {
    narrowPerSubgroup: narrow.rowPerSubgroup,
    rowPerSubgroup,
    narrowPerWorkgroup: narrow.rowPerWorkgroup,
    rowPerWorkgroup,
  };
}

/** Softmax over the last axis of x [..., C]; each row sums to 1. */
export const softmax = defineOp({
  name: "softmax",
  inputs: ["x"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    const x = need(inputs, 0);
    if (x.shape.length === 0)
      throw new ShapeError("softmax", "x needs at least 1 axis", { x: x.shape });
    return [x];
  },
  variants: softmaxVariants(),
  // y = e / s with e = exp(x − m): dx = y · (g − Σ g·y)
  grad: ([g], { outputs: [y] }, ops) => [g && y ? ops.softmaxBackward(g, y) : null],
});

/** dx = y · (g − Σ g·y) along the last axis: the gradient of softmax from its output. */
export const softmaxBackward = defineOp({
  name: "softmaxBackward",
  inputs: ["g", "y"],
  outputs: ["dx"],
  defaults: {},
  infer(inputs) {
    const g = need(inputs, 0);
    const y = need(inputs, 1);
    if (!sameShape(g.shape, y.shape))
      throw new ShapeError("softmaxBackward", "g and y must have one shape", {
        g: g.shape,
        y: y.shape,
      });
    return [y];
  },
  variants: rowVariants((layout, inputs, _attrs, caps) => {
    const { shape } = need(inputs, 1);
    const { rows, cols } = asRows(shape);
    return {
      temps: [],
      passes: [
        {
          label: `softmaxBackward dx ${show(shape)}`,
          code: softmaxBackwardShader(layout),
          bindings: [...reads("in0", "in1"), ...writes("out0")],
          params: [u(rows), u(cols)],
          grid: rowGrid(rows, layout, caps),
          flops: 4 * rows * cols,
          bytes: 12 * rows * cols,
        },
      ],
    };
  }),
  grad: null, // second derivatives are not needed by any user of the engine
});
