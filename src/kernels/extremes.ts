/** Reductions to the largest and smallest element, and to the place of the largest. */
import { argmax as argmaxShader } from "../../shaders/argmax.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, meta, normaliseAxis, show, sizeOf } from "../util/shape.ts";
import { needDtype, normaliseAxes } from "./check.ts";
import { defineOp, need } from "./op.ts";
import type { GradRule, OpDef } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";
import { PREFER_REDUCTION, reducePlan, reduceVariants } from "./reduce-plan.ts";
import { axesOf, keptShape, reduceDefaults, reducedCount, reducedShape } from "./reduce.ts";
import type { ReduceAttrs } from "./reduce.ts";

// dx = g where x is the extreme y; k elements that tie get g/k each, as PyTorch's amax does.
const extremeGrad: GradRule<ReduceAttrs> = (
  [g],
  { inputs: [x], outputs: [y], attrs, shapes: [shape] },
  ops,
) => {
  if (!g || !x || !y || !shape) return [null];
  const axes = normaliseAxes("gradient", attrs.axes, shape);
  const kept = keptShape("gradient", shape, axes);
  const winners = ops.equal(x, ops.reshape(y, { shape: kept }));
  const ties = ops.sum(winners, { axes, keepDims: true });
  return [ops.mul(winners, ops.div(ops.reshape(g, { shape: kept }), ties))];
};

const extreme = (name: "max" | "min"): OpDef<ReduceAttrs, readonly ["x"], readonly ["y"]> =>
  defineOp({
    name,
    inputs: ["x"],
    outputs: ["y"],
    defaults: reduceDefaults,
    infer(inputs, attrs) {
      const x = needDtype(name, inputs, [0, "x"]);
      if (reducedCount(name, x.shape, attrs.axes) === 0)
        throw new ShapeError(name, `there is no ${name} of no elements`, { x: x.shape });
      return [meta(reducedShape(name, x.shape, attrs))];
    },
    variants: reduceVariants<ReduceAttrs>(axesOf(name), (layout, inputs, attrs, caps) => {
      const { shape } = need(inputs, 0);
      const label = `${name} of ${show(shape)}`;
      const reduction = { label, combination: name, scale: 1, layout };
      return reducePlan(shape, axesOf(name)(inputs, attrs), reduction, caps);
    }),
    prefer: PREFER_REDUCTION,
    grad: extremeGrad,
  });

/** y = the largest element over `axes`; ties share the gradient. */
export const max = extreme("max");
/** y = the smallest element over `axes`; ties share the gradient. */
export const min = extreme("min");

/** Index of the largest element along one axis, as i32; the first one where several tie. */
export const argmax = defineOp({
  name: "argmax",
  inputs: ["x"],
  outputs: ["y"],
  defaults: { axis: -1 },
  infer(inputs, attrs) {
    const { shape } = needDtype("argmax", inputs, [0, "x"]);
    const axis = normaliseAxis("argmax", attrs.axis, shape);
    if (at(shape, axis) === 0)
      throw new ShapeError("argmax", "there is no maximum of no elements", { x: shape });
    return [{ shape: shape.toSpliced(axis, 1), dtype: "i32" }];
  },
  variants: {
    columnPerLane: {
      usable: () => true,
      plan(inputs, attrs, caps) {
        const { shape } = need(inputs, 0);
        const axis = normaliseAxis("argmax", attrs.axis, shape);
        const columns = sizeOf(shape.slice(axis + 1));
        const reduce = at(shape, axis);
        const count = sizeOf(shape) / reduce;
        return {
          temps: [],
          passes: [
            {
              label: `argmax of ${show(shape)}`,
              code: argmaxShader({ workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0"), ...writes("out0")],
              params: [u(count), u(columns), u(reduce)],
              grid: elementGrid(count, caps),
              flops: sizeOf(shape),
              bytes: 4 * (sizeOf(shape) + count),
            },
          ],
        };
      },
    },
  },
  grad: null, // an index has no slope
});
