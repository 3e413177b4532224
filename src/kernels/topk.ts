/** The k largest elements of each row, for thresholds within a sample and nearest neighbours. */
import { topk as topkShader } from "../../shaders/topk.wgsl.ts";
import { topkMerge as topkMergeShader } from "../../shaders/topkMerge.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { meta, show } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { defineOp, need } from "./op.ts";
import { asRows, reads, u, writes } from "./pass.ts";
import { rowGrid, rowVariants } from "./rows.ts";

const KEY_BITS = 32; // rounds of counting, each reading the row once

/**
 * x [N, C] → y [N, k]: the k largest of each row, unsorted: those above the k-th largest by column,
 * then its equals.
 */
export const topk = defineOp({
  name: "topk",
  inputs: ["x"],
  outputs: ["y"],
  defaults: { k: 1 },
  infer(inputs, { k }) {
    const { shape } = needDtype("topk", inputs, [0, "x"]);
    const [rows = 0, cols = 0] = shape;
    if (shape.length !== 2 || !Number.isInteger(k) || k < 1 || k > cols)
      throw new ShapeError("topk", `x must be [N, C] with 1 ≤ k ≤ C, k = ${k}`, { x: shape });
    return [{ shape: [rows, k], dtype: "f32" }];
  },
  variants: rowVariants<{ readonly k: number }>((layout, inputs, { k }, caps) => {
    const { shape } = need(inputs, 0);
    const { rows, cols } = asRows(shape);
    return {
      temps: [],
      passes: [
        {
          label: `topk ${k} of ${show(shape)}`,
          code: topkShader(layout),
          bindings: [...reads("in0"), ...writes("out0")],
          params: [u(rows), u(cols), u(k)],
          grid: rowGrid(rows, layout, caps),
          flops: KEY_BITS * rows * cols,
          bytes: 4 * rows * (cols + k),
        },
      ],
    };
  }),
  grad: null, // scores are read, never trained on
});

/**
 * found [N, k] and x [N, C] → y [N, k]: the k largest of both in each row, unsorted. What does not
 * exceed the least of found is read once, so a long row may come in parts.
 */
export const topkMerge = defineOp({
  name: "topkMerge",
  inputs: ["found", "x"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    const found = needDtype("topkMerge", inputs, [0, "found"]);
    const x = needDtype("topkMerge", inputs, [1, "x"]);
    const [rows = 0, k = 0] = found.shape;
    if (found.shape.length !== 2 || x.shape.length !== 2 || x.shape[0] !== rows || k === 0)
      throw new ShapeError("topkMerge", "found must be [N, k] and x [N, C]", {
        found: found.shape,
        x: x.shape,
      });
    return [meta([rows, k])];
  },
  variants: rowVariants((layout, inputs, _attrs, caps) => {
    const [found, x] = [need(inputs, 0), need(inputs, 1)];
    const { rows, cols } = asRows(x.shape);
    const k = asRows(found.shape).cols;
    return {
      temps: [meta([rows, cols])],
      passes: [
        {
          label: `topkMerge ${k} of ${show(x.shape)}`,
          code: topkMergeShader(layout),
          bindings: [...reads("in0", "in1"), ...writes("temp0", "out0")],
          params: [u(rows), u(cols), u(k)],
          grid: rowGrid(rows, layout, caps),
          flops: rows * (cols + KEY_BITS * k),
          bytes: 4 * rows * (cols + 2 * k),
        },
      ],
    };
  }),
  grad: null, // as topk
});
