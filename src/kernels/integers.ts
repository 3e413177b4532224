/** Between whole numbers and floats: cast, oneHot. */
import { cast as castShader } from "../../shaders/cast.wgsl.ts";
import { oneHot as oneHotShader } from "../../shaders/oneHot.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { meta, show, sizeOf } from "../util/shape.ts";
import type { DType } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

type CastAttrs = Readonly<{ dtype: DType }>;
const toFloat: CastAttrs = { dtype: "f32" };

/** x as another dtype; floats lose their fraction and stop at the integer type's ends. */
export const cast = defineOp({
  name: "cast",
  inputs: ["x"],
  outputs: ["y"],
  defaults: toFloat,
  infer: (inputs, { dtype }) => [{ shape: need(inputs, 0).shape, dtype }],
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, { dtype: target }, caps) {
        const { shape, dtype: source } = need(inputs, 0);
        const count = sizeOf(shape);
        const width = flatWidth(count);
        return {
          temps: [],
          passes: [
            {
              label: `cast y ${show(shape)} ${target}`,
              code: castShader({ source, target, width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0"), ...writes("out0")],
              params: [u(count / width)],
              grid: elementGrid(count / width, caps),
              bytes: 8 * count,
            },
          ],
        };
      },
    },
  },
  // Only f32 carries gradients, so only f32 → f32 has one: dx = g.
  grad: ([g], { attrs }) => [g && attrs.dtype === "f32" ? g : null],
});

/** y[…, c] = 1 where the label is c, else 0; a label outside 0 … classes − 1 gives zeros. */
export const oneHot = defineOp({
  name: "oneHot",
  inputs: ["labels"],
  outputs: ["y"],
  defaults: { classes: 0 },
  infer(inputs, { classes }) {
    const { shape } = needDtype("oneHot", inputs, [0, "labels"], "i32");
    if (!Number.isInteger(classes) || classes < 1)
      throw new ShapeError("oneHot", `classes is ${classes}, not a count`, { labels: shape });
    return [meta([...shape, classes])];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, { classes }, caps) {
        const { shape } = need(inputs, 0);
        const count = sizeOf(shape) * classes;
        const width = flatWidth(classes);
        return {
          temps: [],
          passes: [
            {
              label: `oneHot y ${show([...shape, classes])}`,
              code: oneHotShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0"), ...writes("out0")],
              params: [u(count / width), u(classes / width)],
              grid: elementGrid(count / width, caps),
              bytes: 4 * (count + sizeOf(shape)),
            },
          ],
        };
      },
    },
  },
  grad: null, // a label has no slope
});
