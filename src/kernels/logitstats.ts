/** Largest logit, gap to the second, Σ of the others and argmax of each row, in one pass. */
import { logitstats as logitstatsShader } from "../../shaders/logitstats.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { show } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import { asRows, reads, u, writes } from "./pass.ts";
import { rowGrid, rowVariants } from "./rows.ts";

/** Columns of the result. */
const STATS = 4;

/**
 * x [N, C] → y [N, 4]: max, second − max, Σ exp(x − second) over all but the max, argmax. From these
 * the host computes log p_max and log Σ exp in float64 without the saturation of 1 − p.
 */
export const logitstats = defineOp({
  name: "logitstats",
  inputs: ["x"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    const { shape } = need(inputs, 0);
    const [rows = 0, cols = 0] = shape;
    if (shape.length !== 2 || cols === 0)
      throw new ShapeError("logitstats", "x must be [N, C] with C ≥ 1", { x: shape });
    return [{ shape: [rows, STATS], dtype: "f32" }];
  },
  variants: rowVariants((layout, inputs, _attrs, caps) => {
    const { shape } = need(inputs, 0);
    const { rows, cols } = asRows(shape);
    return {
      temps: [],
      passes: [
        {
          label: `logitstats y ${show(shape)}`,
          code: logitstatsShader(layout),
          bindings: [...reads("in0"), ...writes("out0")],
          params: [u(rows), u(cols)],
          grid: rowGrid(rows, layout, caps),
          flops: 5 * rows * cols,
          bytes: 4 * rows * cols + 4 * STATS * rows,
        },
      ],
    };
  }),
  grad: null, // scores are read, never trained on
});
