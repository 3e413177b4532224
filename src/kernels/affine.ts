/** y = x · scale + shift, both numbers known when the call is made. */
import { affine as affineShader } from "../../shaders/affine.wgsl.ts";
import { show, sizeOf } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import { f, reads, sweepGrid, sweepOptions, u, writes } from "./pass.ts";

const AFFINE_STAGE = `fn affine_stage(x: Value, scale: f32, shift: f32) -> Value {
  return x * scale + shift;
}`;

/** y = x · scale + shift; negation is scale −1. */
export const affine = defineOp({
  name: "affine",
  inputs: ["x"],
  outputs: ["y"],
  defaults: { scale: 1, shift: 0 },
  infer: (inputs) => [needDtype("affine", inputs, [0, "x"])],
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, { scale, shift }, caps) {
        const { shape } = need(inputs, 0);
        const count = sizeOf(shape);
        const width = flatWidth(count);
        return {
          temps: [],
          passes: [
            {
              label: `affine y ${show(shape)}`,
              code: affineShader({ width, ...sweepOptions(caps) }),
              bindings: [...reads("in0"), ...writes("out0")],
              params: [u(count / width), f(scale), f(shift)],
              grid: sweepGrid(count / width, caps),
              flops: 2 * count,
              bytes: 8 * count,
              stage: {
                name: "affine",
                count,
                operands: [{ kind: "full", count }],
                words: [f(scale), f(shift)],
                blocks: () => [AFFINE_STAGE],
              },
            },
          ],
        };
      },
    },
  },
  // dx = g · scale
  grad: ([g], { attrs }, ops) => [g ? ops.affine(g, { scale: attrs.scale, shift: 0 }) : null],
});
