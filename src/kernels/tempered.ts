/** Means of logits under their softmax at several temperatures: the slopes that fit a temperature. */
import { tempered as temperedShader } from "../../shaders/tempered.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, meta, show, sizeOf } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { defineOp, need } from "./op.ts";
import { asRows, reads, u, writes } from "./pass.ts";
import { rowGrid, rowVariants } from "./rows.ts";

const FLOPS = 6; // for each element at each scale

/** x [N, C], scales [K] → y [N, K]: Σ_c p_c (x_c − max x) with p = softmax(scale · x); scales are positive. */
export const tempered = defineOp({
  name: "tempered",
  inputs: ["x", "scales"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    const x = needDtype("tempered", inputs, [0, "x"]);
    const scales = needDtype("tempered", inputs, [1, "scales"]);
    if (x.shape.length !== 2 || x.shape[1] === 0 || scales.shape.length !== 1)
      throw new ShapeError("tempered", "x must be [N, C] with C ≥ 1 and scales [K]", {
        x: x.shape,
        scales: scales.shape,
      });
    return [meta([at(x.shape, 0), at(scales.shape, 0)])];
  },
  variants: rowVariants((layout, inputs, _attrs, caps) => {
    const [x, scales] = [need(inputs, 0), need(inputs, 1)];
    const { rows, cols } = asRows(x.shape);
    const count = sizeOf(scales.shape);
    return {
      temps: [],
      passes: [
        {
          label: `tempered y ${show([rows, count])}`,
          code: temperedShader(layout),
          bindings: [...reads("in0", "in1"), ...writes("out0")],
          params: [u(rows), u(cols), u(count)],
          grid: rowGrid(rows, layout, caps),
          flops: FLOPS * rows * cols * count,
          bytes: 4 * rows * (cols + count),
        },
      ],
    };
  }),
  grad: null, // fits read it, nothing is trained through it
});
