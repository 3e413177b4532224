/** y = condition ≠ 0 ? a : b, all three broadcast together. */
import { where as whereShader } from "../../shaders/where.wgsl.ts";
import { broadcastShapes, show, sizeOf } from "../util/shape.ts";
import { unbroadcast } from "./broadcast.ts";
import { needDtype } from "./check.ts";
import { axisWords, broadcastStrides, inVectors, mergeAxes } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

/** The shape that the three operands broadcast to. */
const whereShape = (inputs: InputMetas): number[] =>
  [1, 2].reduce<number[]>(
    (shape, index) => broadcastShapes("where", shape, need(inputs, index).shape),
    [...need(inputs, 0).shape],
  );

/** a where the condition (f32) is not 0, b elsewhere; with broadcasting. */
export const where = defineOp({
  name: "where",
  inputs: ["condition", "a", "b"],
  outputs: ["y"],
  defaults: {},
  infer(inputs) {
    for (const [index, name] of ["condition", "a", "b"].entries())
      needDtype("where", inputs, [index, name]);
    return [{ shape: whereShape(inputs), dtype: "f32" }];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, _attrs, caps) {
        const shape = whereShape(inputs);
        const count = sizeOf(shape);
        const strides = [0, 1, 2].map((k) => broadcastStrides(need(inputs, k).shape, shape));
        const view = inVectors(mergeAxes("where", { sizes: shape, strides }));
        const { width, sizes } = view;
        const [conditionSplat = false, aSplat = false, bSplat = false] = view.splats;
        const splats = { conditionSplat, aSplat, bSplat };
        return {
          temps: [],
          passes: [
            {
              label: `where y ${show(shape)}`,
              code: whereShader({
                width,
                rank: sizes.length,
                workgroup: ELEMENT_WORKGROUP,
                ...splats,
              }),
              bindings: [...reads("in0", "in1", "in2"), ...writes("out0")],
              params: [...axisWords(sizes), ...view.strides.flatMap(axisWords), u(count / width)],
              grid: elementGrid(count / width, caps),
              flops: count,
              bytes: 16 * count,
            },
          ],
        };
      },
    },
  },
  // da = g where the condition holds, db = g elsewhere; the condition has no slope.
  grad([g], { inputs: [condition], shapes, needs: [, needA, needB] }, ops) {
    if (!g || !condition) return [null, null, null];
    const zero = ops.affine(g, { scale: 0, shift: 0 });
    return [
      null,
      needA ? unbroadcast(ops, ops.where(condition, g, zero), shapes, shapes[1]) : null,
      needB ? unbroadcast(ops, ops.where(condition, zero, g), shapes, shapes[2]) : null,
    ];
  },
});
