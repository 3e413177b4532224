/** Between element types: cast, oneHot. */
import { cast as castShader } from "../../shaders/cast.wgsl.ts";
import { oneHot as oneHotShader } from "../../shaders/oneHot.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { ELEMENT_BYTES, meta, show, sizeOf } from "../util/shape.ts";
import type { DType } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { Stage } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

type CastAttrs = Readonly<{ dtype: DType }>;
const toFloat: CastAttrs = { dtype: "f32" };

const isFloat = (dtype: DType): boolean => dtype === "f32" || dtype === "f16";

/** Between floats, other kernels can do it as they store; the rounding is in the storing. */
function castStage(count: number, source: DType, target: DType): Stage {
  return {
    name: "cast",
    count,
    operands: [{ kind: "full", count, isHalf: source === "f16" }],
    words: [],
    isHalf: target === "f16",
    blocks: () => ["fn cast_stage(x: Value) -> Value {\n  return x;\n}"],
  };
}

/**
 * x as another dtype. On the way to integers floats lose their fraction and stop at the type's ends;
 * on the way to f16 they are rounded to nearest even, and beyond ±65504 become infinite.
 */
export const cast = defineOp({
  name: "cast",
  inputs: ["x"],
  outputs: ["y"],
  halves: ["x"],
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
              bytes: (ELEMENT_BYTES[source] + ELEMENT_BYTES[target]) * count,
              ...(isFloat(source) && isFloat(target)
                ? { stage: castStage(count, source, target) }
                : {}),
            },
          ],
        };
      },
    },
  },
  // Only floats carry gradients: dx = g, which is f32 whatever x and y are.
  grad: ([g], { attrs, dtypes: [source = "i32"] }) => [
    g && isFloat(source) && isFloat(attrs.dtype) ? g : null,
  ],
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
