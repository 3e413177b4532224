/** Strided views as params: how kernels walk operands whose memory order differs from the output's. */
import { ShapeError } from "../util/errors.ts";
import { at, sizeOf, stridesOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import type { Param } from "./op.ts";
import { u } from "./pass.ts";

/** Axes that the strided kernels hold in their params. */
export const MAX_RANK = 8;

/** An output's axes with, for each operand, the elements that one step along the axis skips. */
export interface StridedView {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Strides that read `shape` as if it were broadcast to `target`: 0 along repeated axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const lead = target.length - shape.length;
  const own = stridesOf(shape);
  return target.map((size, axis) =>
    axis < lead || (at(shape, axis - lead) === 1 && size !== 1) ? 0 : at(own, axis - lead),
  );
}

/**
 * The same walk with fewer axes: axes of size 1 go, and neighbours merge where every operand
 * crosses them in one stride. At least one axis is left.
 * @throws ShapeError if more than {@link MAX_RANK} axes are left.
 */
export function mergeAxes(op: string, view: StridedView): StridedView {
  const sizes: number[] = [];
  const strides: number[][] = view.strides.map(() => []);
  view.sizes.forEach((size, axis) => {
    if (size === 1) return;
    const steps = view.strides.map((list) => at(list, axis));
    const last = sizes.length - 1;
    const joins =
      last >= 0 && steps.every((step, which) => at(at(strides, which), last) === step * size);
    if (joins) sizes[last] = at(sizes, last) * size;
    else sizes.push(size);
    steps.forEach((step, which) => (at(strides, which)[joins ? last : sizes.length - 1] = step));
  });
  if (sizes.length > MAX_RANK)
    throw new ShapeError(op, `more than ${MAX_RANK} axes cannot be merged`, { x: view.sizes });
  return sizes.length > 0 ? { sizes, strides } : { sizes: [1], strides: strides.map(() => [1]) };
}

/** How a strided kernel walks its operands: vectors of `width` elements along the last axis. */
export interface VectorView {
  readonly width: 1 | 4;
  /** Counted in vectors. */
  readonly sizes: readonly number[];
  /** Counted in vectors, or in elements where the operand is a splat. */
  readonly strides: readonly (readonly number[])[];
  /** Operands with one element for a whole vector. */
  readonly splats: readonly boolean[];
}

/** A stride of 0 along the last axis: the operand repeats there. */
const isSplat = (list: readonly number[]): boolean => at(list, -1) === 0;

/** Whether whole vectors of four can be read along the last axis. */
const isVector = (list: readonly number[]): boolean =>
  at(list, -1) === 1 && list.slice(0, -1).every((step) => step % 4 === 0);

/** The view in vectors of four where its last axis allows it, element by element elsewhere. */
export function inVectors({ sizes, strides }: StridedView): VectorView {
  const whole = at(sizes, -1) % 4 === 0;
  if (!whole || !strides.every((list) => isSplat(list) || isVector(list)))
    return { width: 1, sizes, strides, splats: strides.map(() => false) };
  return {
    width: 4,
    sizes: [...sizes.slice(0, -1), at(sizes, -1) / 4],
    strides: strides.map((list) => {
      if (isSplat(list)) return list;
      return [...list.slice(0, -1).map((step) => step / 4), 1];
    }),
    splats: strides.map(isSplat),
  };
}

/** {@link MAX_RANK} words, as `array<vec4u, 2>` reads them. */
export const axisWords = (values: readonly number[]): Param[] =>
  Array.from({ length: MAX_RANK }, (_, axis) => u(values[axis] ?? 1));

/** 4 if all these sizes are whole vectors of four, else 1. */
export const flatWidth = (...sizes: readonly number[]): 1 | 4 =>
  sizes.every((size) => size % 4 === 0) ? 4 : 1;

/** How one operand is read beside an output of `target`: see shaders/binary.wgsl.ts. */
export type OperandLayout = "full" | "repeat" | "scalar" | "strided";

/** The cheapest way to read an operand of `shape` broadcast to `target`. */
export function operandLayout(shape: Shape, target: Shape): OperandLayout {
  if (sizeOf(shape) === sizeOf(target)) return "full";
  if (sizeOf(shape) === 1) return "scalar";
  const trimmed = shape.slice(shape.findIndex((size) => size !== 1));
  const tail = target.slice(target.length - trimmed.length);
  return trimmed.every((size, axis) => size === tail[axis]) ? "repeat" : "strided";
}
