/** Ops that make an axis longer: pad with zeros, concat. */
import { concat as concatShader } from "../../shaders/concat.wgsl.ts";
import { pad as padShader } from "../../shaders/pad.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, normaliseAxis, show, sizeOf } from "../util/shape.ts";
import type { Meta, Shape } from "../util/shape.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

/** Zeros before and after along one axis. */
type PadAttrs = Readonly<{ axis: number; before: number; after: number }>;
const noPad: PadAttrs = { axis: 0, before: 0, after: 0 };

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;

function paddedShape(shape: Shape, { axis, before, after }: PadAttrs): number[] {
  const where = normaliseAxis("pad", axis, shape);
  if (!isCount(before) || !isCount(after))
    throw new ShapeError("pad", `before ${before} and after ${after} must be counts`, { x: shape });
  return shape.with(where, before + at(shape, where) + after);
}

/** x with zeros before and after along one axis. */
export const pad = defineOp({
  name: "pad",
  inputs: ["x"],
  outputs: ["y"],
  defaults: noPad,
  infer(inputs, attrs) {
    const x = need(inputs, 0);
    return [{ shape: paddedShape(x.shape, attrs), dtype: x.dtype }];
  },
  variants: {
    copy: {
      usable: () => true,
      plan(inputs, attrs, caps) {
        const { shape } = need(inputs, 0);
        const axis = normaliseAxis("pad", attrs.axis, shape);
        const inner = sizeOf(shape.slice(axis + 1));
        const cols = at(shape, axis) * inner;
        const before = attrs.before * inner;
        const padded = before + cols + attrs.after * inner;
        const width = flatWidth(cols, before, padded);
        const count = sizeOf(paddedShape(shape, attrs));
        return {
          temps: [],
          passes: [
            {
              label: `pad y ${show(paddedShape(shape, attrs))}`,
              code: padShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0"), ...writes("out0")],
              params: [count, cols, padded, before].map((size) => u(size / width)),
              grid: elementGrid(count / width, caps),
              bytes: 4 * (count + sizeOf(shape)),
            },
          ],
        };
      },
    },
  },
  // dx = the part of g that came from x
  grad([g], { attrs: { axis, before }, shapes: [shape] }, ops) {
    if (!g || !shape) return [null];
    return [ops.slice(g, { axis, start: before, end: before + at(shape, axis) })];
  },
});

/** Both operands, the axis and y. */
function joined(inputs: InputMetas, wanted: number): { a: Meta; b: Meta; axis: number; y: Meta } {
  const [a, b] = [need(inputs, 0), need(inputs, 1)];
  const axis = normaliseAxis("concat", wanted, a.shape);
  const fits =
    a.shape.length === b.shape.length &&
    a.dtype === b.dtype &&
    a.shape.every((size, k) => k === axis || size === b.shape[k]);
  if (!fits)
    throw new ShapeError("concat", `a and b may differ along axis ${wanted} only`, {
      a: a.shape,
      b: b.shape,
    });
  const shape = a.shape.with(axis, at(a.shape, axis) + at(b.shape, axis));
  return { a, b, axis, y: { shape, dtype: a.dtype } };
}

/** a followed by b along one axis. */
export const concat = defineOp({
  name: "concat",
  inputs: ["a", "b"],
  outputs: ["y"],
  defaults: { axis: 0 },
  infer: (inputs, { axis }) => [joined(inputs, axis).y],
  variants: {
    copy: {
      usable: () => true,
      plan(inputs, attrs, caps) {
        const { a, b, axis, y } = joined(inputs, attrs.axis);
        const [aCols, bCols] = [sizeOf(a.shape.slice(axis)), sizeOf(b.shape.slice(axis))];
        const width = flatWidth(aCols, bCols);
        const count = sizeOf(y.shape);
        return {
          temps: [],
          passes: [
            {
              label: `concat y ${show(y.shape)}`,
              code: concatShader({ width, workgroup: ELEMENT_WORKGROUP }),
              bindings: [...reads("in0", "in1"), ...writes("out0")],
              params: [count, aCols, bCols].map((size) => u(size / width)),
              grid: elementGrid(count / width, caps),
              bytes: 8 * count,
            },
          ],
        };
      },
    },
  },
  // da and db = their parts of g
  grad([g], { attrs: { axis }, shapes: [a, b], needs: [needA, needB] }, ops) {
    if (!g || !a || !b) return [null, null];
    const [middle, end] = [at(a, axis), at(a, axis) + at(b, axis)];
    return [
      needA ? ops.slice(g, { axis, start: 0, end: middle }) : null,
      needB ? ops.slice(g, { axis, start: middle, end }) : null,
    ];
  },
});
