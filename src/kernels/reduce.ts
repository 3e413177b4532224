/** Reductions to fewer elements: sum, mean, and the sum that undoes a broadcast. */
import { ShapeError } from "../util/errors.ts";
import { at, meta, show } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import { needDtype, needFloat, normaliseAxes } from "./check.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas } from "./op.ts";
import { PREFER_REDUCTION, reducePlan, reduceVariants } from "./reduce-plan.ts";

/** Which axes a reduction takes (null: all) and whether they stay as size 1. */
export type ReduceAttrs = Readonly<{ axes: readonly number[] | null; keepDims: boolean }>;

/** All axes, dropped. */
export const reduceDefaults: ReduceAttrs = { axes: null, keepDims: false };

/** The shape with reduced axes as 1. */
export const keptShape = (op: string, shape: Shape, axes: ReduceAttrs["axes"]): number[] => {
  const reduced = normaliseAxes(op, axes, shape);
  return shape.map((size, axis) => (reduced.includes(axis) ? 1 : size));
};

/** The shape of a reduction's result. */
export function reducedShape(op: string, shape: Shape, { axes, keepDims }: ReduceAttrs): number[] {
  const reduced = normaliseAxes(op, axes, shape);
  return keepDims
    ? keptShape(op, shape, axes)
    : shape.filter((_size, axis) => !reduced.includes(axis));
}

/** Elements that one result is made of. */
export const reducedCount = (op: string, shape: Shape, axes: ReduceAttrs["axes"]): number =>
  normaliseAxes(op, axes, shape).reduce((count, axis) => count * at(shape, axis), 1);

/** The axes of a call, counted from the front. */
export const axesOf =
  (op: string) =>
  (inputs: InputMetas, { axes }: ReduceAttrs): number[] =>
    normaliseAxes(op, axes, need(inputs, 0).shape);

/** y = Σ x over `axes`. */
export const sum = defineOp({
  name: "sum",
  inputs: ["x"],
  outputs: ["y"],
  defaults: reduceDefaults,
  infer(inputs, attrs) {
    const x = needDtype("sum", inputs, [0, "x"]);
    return [meta(reducedShape("sum", x.shape, attrs))];
  },
  variants: reduceVariants<ReduceAttrs>(axesOf("sum"), (layout, inputs, attrs, caps) => {
    const { shape } = need(inputs, 0);
    const reduction = {
      label: `sum of ${show(shape)}`,
      combination: "sum",
      scale: 1,
      layout,
    } as const;
    return reducePlan(shape, axesOf("sum")(inputs, attrs), reduction, caps);
  }),
  prefer: PREFER_REDUCTION,
  // Every element counts once: dx = g, repeated along the axes.
  grad([g], { attrs, shapes: [shape] }, ops) {
    if (!g || !shape) return [null];
    const kept = ops.reshape(g, { shape: keptShape("sum", shape, attrs.axes) });
    return [ops.broadcastTo(kept, { shape })];
  },
});

/** y = Σ x / count over `axes`. */
export const mean = defineOp({
  name: "mean",
  inputs: ["x"],
  outputs: ["y"],
  defaults: reduceDefaults,
  infer(inputs, attrs) {
    const x = needDtype("mean", inputs, [0, "x"]);
    if (reducedCount("mean", x.shape, attrs.axes) === 0)
      throw new ShapeError("mean", "there is no mean of no elements", { x: x.shape });
    return [meta(reducedShape("mean", x.shape, attrs))];
  },
  variants: reduceVariants<ReduceAttrs>(axesOf("mean"), (layout, inputs, attrs, caps) => {
    const { shape } = need(inputs, 0);
    const scale = 1 / reducedCount("mean", shape, attrs.axes);
    const reduction = {
      label: `mean of ${show(shape)}`,
      combination: "sum",
      scale,
      layout,
    } as const;
    return reducePlan(shape, axesOf("mean")(inputs, attrs), reduction, caps);
  }),
  prefer: PREFER_REDUCTION,
  // dx = g / count, repeated along the axes.
  grad([g], { attrs, shapes: [shape] }, ops) {
    if (!g || !shape) return [null];
    const scale = 1 / reducedCount("mean", shape, attrs.axes);
    const kept = ops.reshape(g, { shape: keptShape("mean", shape, attrs.axes) });
    return [ops.broadcastTo(ops.affine(kept, { scale, shift: 0 }), { shape })];
  },
});

/** Axes of x that a smaller shape lacks or has as 1. */
function axesTo(x: Shape, shape: Shape): number[] {
  const lead = x.length - shape.length;
  const fits = lead >= 0 && shape.every((size, k) => size === 1 || size === at(x, lead + k));
  if (!fits) throw new ShapeError("sumTo", "x is no broadcast of the shape", { x, shape });
  return x.flatMap((size, axis) =>
    axis < lead || (at(shape, axis - lead) === 1 && size !== 1) ? [axis] : [],
  );
}

type ShapeAttrs = Readonly<{ shape: Shape }>;
const shapeDefaults: ShapeAttrs = { shape: [] };

/** y = x summed down to `shape`, which broadcasts to x's: the gradient of broadcasting; x may be f16. */
export const sumTo = defineOp({
  name: "sumTo",
  inputs: ["x"],
  outputs: ["y"],
  halves: ["x"],
  defaults: shapeDefaults,
  infer(inputs, { shape }) {
    const x = needFloat("sumTo", inputs, [0, "x"]);
    axesTo(x.shape, shape);
    return [meta(shape)];
  },
  variants: reduceVariants<ShapeAttrs>(
    (inputs, { shape }) => axesTo(need(inputs, 0).shape, shape),
    (layout, inputs, { shape }, caps) => {
      const x = need(inputs, 0);
      const label = `sumTo ${show(shape)} of ${show(x.shape)}`;
      const isHalf = x.dtype === "f16";
      const reduction = { label, combination: "sum", scale: 1, layout, isHalf } as const;
      return reducePlan(x.shape, axesTo(x.shape, shape), reduction, caps);
    },
  ),
  prefer: PREFER_REDUCTION,
  // dx = g, repeated along the summed axes.
  grad: ([g], { shapes: [shape] }, ops) => [g && shape ? ops.broadcastTo(g, { shape }) : null],
});
