/** Sums of rows by segment, such as by class: each row is read once, whatever the number of segments. */
import { segmentSum as segmentSumShader } from "../../shaders/segmentSum.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, meta, show, sizeOf } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

/**
 * y[s, :] = Σ x[order[i], :] over i from starts[s] to starts[s + 1] − 1, in that order; x: [N, W],
 * order: [M], starts: [S + 1], ascending. A segment without rows gives zeros.
 */
export const segmentSum = defineOp({
  name: "segmentSum",
  inputs: ["x", "order", "starts"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    const x = needDtype("segmentSum", inputs, [0, "x"]);
    const order = needDtype("segmentSum", inputs, [1, "order"], "i32");
    const starts = needDtype("segmentSum", inputs, [2, "starts"], "i32");
    if (x.shape.length !== 2 || order.shape.length !== 1 || starts.shape.length !== 1)
      throw new ShapeError("segmentSum", "x must be [N, W], order [M], starts [S + 1]", {
        x: x.shape,
        order: order.shape,
        starts: starts.shape,
      });
    return [meta([Math.max(0, sizeOf(starts.shape) - 1), at(x.shape, 1)])];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, _attrs, caps) {
        const [x, order, starts] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
        const [rows, cols] = [at(x.shape, 0), at(x.shape, 1)];
        const width = flatWidth(cols);
        const count = (sizeOf(starts.shape) - 1) * cols;
        return {
          temps: [],
          passes: [
            {
              label: `segmentSum y ${show([sizeOf(starts.shape) - 1, cols])}`,
              code: segmentSumShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0", "in1", "in2"), ...writes("out0")],
              params: [u(count / width), u(rows), u(cols / width), u(sizeOf(order.shape))],
              grid: elementGrid(count / width, caps),
              flops: sizeOf(order.shape) * cols,
              bytes: 4 * (sizeOf(order.shape) * cols + count),
            },
          ],
        };
      },
    },
  },
  grad: null, // statistics are read, never trained on
});
