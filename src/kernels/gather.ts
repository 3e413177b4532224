/** Rows of a table by index, and the gradient that adds them up again. */
import { gather as gatherShader } from "../../shaders/gather.wgsl.ts";
import { gatherBackward as gatherBackwardShader } from "../../shaders/gatherBackward.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, meta, show, sizeOf } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

/** y[n, …] = table[indices[n], …]; an index without a row gives zeros. */
export const gather = defineOp({
  name: "gather",
  inputs: ["table", "indices"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    const table = needDtype("gather", inputs, [0, "table"]);
    const indices = needDtype("gather", inputs, [1, "indices"], "i32");
    if (table.shape.length === 0)
      throw new ShapeError("gather", "table needs at least 1 axis", { table: table.shape });
    return [meta([...indices.shape, ...table.shape.slice(1)])];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, _attrs, caps) {
        const [table, indices] = [need(inputs, 0), need(inputs, 1)];
        const cols = sizeOf(table.shape.slice(1));
        const count = sizeOf(indices.shape) * cols;
        const width = flatWidth(cols);
        return {
          temps: [],
          passes: [
            {
              label: `gather ${show(indices.shape)} of ${show(table.shape)}`,
              code: gatherShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0", "in1"), ...writes("out0")],
              params: [u(count / width), u(at(table.shape, 0)), u(cols / width)],
              grid: elementGrid(count / width, caps),
              bytes: 8 * count + 4 * sizeOf(indices.shape),
            },
          ],
        };
      },
    },
  },
  // dtable[row] = Σ g[n] over the n that chose the row; indices have no slope.
  grad([g], { inputs: [, indices], shapes: [table], needs: [needTable] }, ops) {
    if (!g || !indices || !table || !needTable) return [null, null];
    const rows = at(table, 0);
    return [ops.reshape(ops.gatherBackward(g, indices, { rows }), { shape: table }), null];
  },
});

/** dtable[row, :] = Σ g[n, :] over the n with indices[n] = row, in order of n. */
export const gatherBackward = defineOp({
  name: "gatherBackward",
  inputs: ["g", "indices"],
  outputs: ["dtable"],
  defaults: { rows: 0 },
  infer(inputs, { rows }) {
    const g = needDtype("gatherBackward", inputs, [0, "g"]);
    const indices = needDtype("gatherBackward", inputs, [1, "indices"], "i32");
    const lead = g.shape.slice(0, indices.shape.length);
    if (lead.join() !== indices.shape.join())
      throw new ShapeError("gatherBackward", "g must start with the shape of indices", {
        g: g.shape,
        indices: indices.shape,
      });
    return [meta([rows, sizeOf(g.shape.slice(indices.shape.length))])];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, { rows }, caps) {
        const [g, indices] = [need(inputs, 0), need(inputs, 1)];
        const cols = sizeOf(g.shape.slice(indices.shape.length));
        const width = flatWidth(cols);
        const count = rows * cols;
        return {
          temps: [],
          passes: [
            {
              label: `gatherBackward dtable ${show([rows, cols])}`,
              code: gatherBackwardShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0", "in1"), ...writes("out0")],
              params: [u(count / width), u(sizeOf(indices.shape)), u(cols / width)],
              grid: elementGrid(count / width, caps),
              flops: sizeOf(g.shape),
              bytes: 4 * (sizeOf(g.shape) + count),
            },
          ],
        };
      },
    },
  },
  grad: null, // second derivatives are not needed by any user of the engine
});
