/** Ops that read another view of x: reshape (no work), broadcastTo, permute, slice (one copy). */
import { stridedCopy } from "../../shaders/stridedCopy.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import {
  at,
  ELEMENT_BYTES,
  normaliseAxis,
  sameShape,
  broadcastShapes,
  show,
  sizeOf,
  stridesOf,
} from "../util/shape.ts";
import type { Meta, Shape } from "../util/shape.ts";
import { axisWords, broadcastStrides, mergeAxes } from "./layout.ts";
import type { StridedView } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { Caps, Plan, Variant } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

type ShapeAttrs = Readonly<{ shape: Shape }>;
const scalarShape: ShapeAttrs = { shape: [] };

/** Width of y's vectors, whether x is read in vectors too, and the view counted that way. */
function copyLayout({ sizes, strides }: StridedView, offset: number) {
  const steps = at(strides, 0);
  if (at(sizes, -1) % 4 !== 0) return { width: 1, whole: true, sizes, steps, offset } as const;
  const counted = [...sizes.slice(0, -1), at(sizes, -1) / 4];
  const lead = steps.slice(0, -1);
  const whole = at(steps, -1) === 1 && [...lead, offset].every((step) => step % 4 === 0);
  if (whole) {
    const vectors = [...lead.map((step) => step / 4), 1];
    return { width: 4, whole, sizes: counted, steps: vectors, offset: offset / 4 } as const;
  }
  return { width: 4, whole, sizes: counted, steps: [...lead, 4 * at(steps, -1)], offset } as const;
}

/** What a copy reads: a view, from this element on. */
interface Look {
  readonly view: StridedView;
  readonly offset: number;
}

/** A strided view of in0, copied to out0. */
function copyPlan(
  op: string,
  { view, offset }: Look,
  { dtype }: Pick<Meta, "dtype">,
  caps: Caps,
): Plan {
  const merged = mergeAxes(op, view);
  const { width, whole, sizes, steps, offset: first } = copyLayout(merged, offset);
  const count = sizeOf(sizes);
  const lastStride = at(at(merged.strides, 0), -1);
  return {
    temps: [],
    passes: [
      {
        label: `${op} y ${show(view.sizes)}`,
        code: stridedCopy({
          width,
          whole,
          rank: sizes.length,
          workgroup: ELEMENT_WORKGROUP,
          isHalf: dtype === "f16",
        }),
        bindings: [...reads("in0"), ...writes("out0")],
        params: [...axisWords(sizes), ...axisWords(steps), u(first), u(lastStride), u(count)],
        grid: elementGrid(count, caps),
        bytes: 2 * ELEMENT_BYTES[dtype] * count * width,
      },
    ],
  };
}

/** A variant that copies the view that `look` describes. */
const copies = <A>(op: string, look: (shape: Shape, attrs: A) => Look): { copy: Variant<A> } => ({
  copy: {
    usable: () => true,
    plan(inputs, attrs, caps) {
      const x = need(inputs, 0);
      return copyPlan(op, look(x.shape, attrs), x, caps);
    },
  },
});

/** A target shape with one −1 filled in. */
function resolveShape(x: Shape, shape: Shape): number[] {
  const known = sizeOf(shape.filter((size) => size !== -1));
  const open = shape.filter((size) => size === -1).length;
  const filled = shape.map((size) => (size === -1 ? sizeOf(x) / known : size));
  if (open > 1 || sizeOf(filled) !== sizeOf(x) || !filled.every(Number.isInteger))
    throw new ShapeError("reshape", "sizes do not hold the same elements", { x, shape });
  return filled;
}

/** The same elements under another shape, without a copy; one size may be −1. */
export const reshape = defineOp({
  name: "reshape",
  inputs: ["x"],
  outputs: ["y"],
  halves: ["x"],
  defaults: scalarShape,
  alias: true,
  infer(inputs, { shape }) {
    const x = need(inputs, 0);
    return [{ shape: resolveShape(x.shape, shape), dtype: x.dtype }];
  },
  variants: { alias: { usable: () => true, plan: () => ({ temps: [], passes: [] }) } },
  // dx = g under x's shape
  grad: ([g], { shapes: [shape] }, ops) => [g && shape ? ops.reshape(g, { shape }) : null],
});

/** x repeated along new axes and axes of size 1, by numpy's rule. */
export const broadcastTo = defineOp({
  name: "broadcastTo",
  inputs: ["x"],
  outputs: ["y"],
  halves: ["x"],
  defaults: scalarShape,
  infer(inputs, { shape }) {
    const x = need(inputs, 0);
    if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape))
      throw new ShapeError("broadcastTo", "x does not broadcast to the shape", {
        x: x.shape,
        shape,
      });
    return [{ shape, dtype: x.dtype }];
  },
  variants: copies<ShapeAttrs>("broadcastTo", (x, { shape }) => ({
    view: { sizes: shape, strides: [broadcastStrides(x, shape)] },
    offset: 0,
  })),
  // Each element of x was used once per repetition: dx = their sum.
  grad: ([g], { shapes: [shape] }, ops) => [g && shape ? ops.sumTo(g, { shape }) : null],
});

type AxesAttrs = Readonly<{ axes: readonly number[] }>;
const noAxes: AxesAttrs = { axes: [] };

function permutation(shape: Shape, axes: readonly number[]): number[] {
  const normalised = axes.map((axis) => normaliseAxis("permute", axis, shape));
  if (normalised.length !== shape.length || new Set(normalised).size !== shape.length)
    throw new ShapeError("permute", `axes [${axes.join(", ")}] must name each axis once`, {
      x: shape,
    });
  return normalised;
}

/** y's axis k is x's axis axes[k]: permute(x, [1, 0]) is the transpose, in memory too. */
export const permute = defineOp({
  name: "permute",
  inputs: ["x"],
  outputs: ["y"],
  halves: ["x"],
  defaults: noAxes,
  infer(inputs, { axes }) {
    const x = need(inputs, 0);
    return [{ shape: permutation(x.shape, axes).map((axis) => at(x.shape, axis)), dtype: x.dtype }];
  },
  variants: copies<AxesAttrs>("permute", (shape, { axes }) => {
    const order = permutation(shape, axes);
    const strides = stridesOf(shape);
    const view = {
      sizes: order.map((axis) => at(shape, axis)),
      strides: [order.map((axis) => at(strides, axis))],
    };
    return { view, offset: 0 };
  }),
  // dx undoes the order: its axis axes[k] is g's axis k.
  grad([g], { attrs, shapes: [shape] }, ops) {
    if (!g || !shape) return [null];
    const order = permutation(shape, attrs.axes);
    return [ops.permute(g, { axes: shape.map((_size, axis) => order.indexOf(axis)) })];
  },
});

/** Elements start … end − 1 along one axis; negative numbers count from the end, null is the end. */
type SliceAttrs = Readonly<{ axis: number; start: number; end: number | null }>;
const wholeAxis: SliceAttrs = { axis: 0, start: 0, end: null };

function sliceRange(shape: Shape, { axis, start, end }: SliceAttrs): [number, number, number] {
  const where = normaliseAxis("slice", axis, shape);
  const size = at(shape, where);
  const first = start < 0 ? start + size : start;
  const last = end === null ? size : end < 0 ? end + size : end;
  if (!(first >= 0 && first <= last && last <= size))
    throw new ShapeError("slice", `${start}…${end ?? "end"} is outside axis ${axis}`, {
      x: shape,
    });
  return [where, first, last];
}

/** y = x[…, start:end, …] along one axis. */
export const slice = defineOp({
  name: "slice",
  inputs: ["x"],
  outputs: ["y"],
  halves: ["x"],
  defaults: wholeAxis,
  infer(inputs, attrs) {
    const x = need(inputs, 0);
    const [where, first, last] = sliceRange(x.shape, attrs);
    return [{ shape: x.shape.with(where, last - first), dtype: x.dtype }];
  },
  variants: copies<SliceAttrs>("slice", (shape, attrs) => {
    const [where, first, last] = sliceRange(shape, attrs);
    const strides = stridesOf(shape);
    const view = { sizes: shape.with(where, last - first), strides: [strides] };
    return { view, offset: first * at(strides, where) };
  }),
  // dx = g between the zeros of what was cut off
  grad([g], { attrs, shapes: [shape] }, ops) {
    if (!g || !shape) return [null];
    const [axis, before, last] = sliceRange(shape, attrs);
    return [ops.pad(g, { axis, before, after: at(shape, axis) - last })];
  },
});
