/** Float64 walks over shapes that several oracles share. For tests and bench only. */
import { at, broadcastShapes, sizeOf, stridesOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64 } from "./case.ts";

/** The coordinates of the element at a row-major index. */
export function coordinates(index: number, shape: Shape): number[] {
  const strides = stridesOf(shape);
  return shape.map((size, axis) => Math.floor(index / at(strides, axis)) % size);
}

/** The row-major index of coordinates, counted from the last axis; 0 along axes of size 1. */
export function indexOf(place: readonly number[], shape: Shape): number {
  const lead = place.length - shape.length;
  return shape.reduce(
    (index, size, axis) => index * size + (size === 1 ? 0 : at(place, lead + axis)),
    0,
  );
}

/** An array of `shape` whose elements come from their coordinates. */
export function build(shape: Shape, value: (place: readonly number[]) => number): Array64 {
  const y = array64(shape);
  for (let index = 0; index < sizeOf(shape); index++)
    y.data[index] = value(coordinates(index, shape));
  return y;
}

/** The element at coordinates, broadcast. */
export const pick = (x: Array64, place: readonly number[]): number =>
  at(x.data, indexOf(place, x.shape));

/** f of two broadcast operands. */
export const zip64 = (a: Array64, b: Array64, f: (a: number, b: number) => number): Array64 =>
  build(broadcastShapes("reference", a.shape, b.shape), (place) =>
    f(pick(a, place), pick(b, place)),
  );

/** Folds x over `axes`, in order of the elements; the result keeps them as size 1. */
export function fold64(
  x: Array64,
  axes: readonly number[],
  start: number,
  f: (total: number, value: number) => number,
): Array64 {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const y = array64(kept, new Float64Array(sizeOf(kept)).fill(start));
  x.data.forEach((value, index) => {
    const target = indexOf(coordinates(index, x.shape), kept);
    y.data[target] = f(at(y.data, target), value);
  });
  return y;
}

/** The input that an oracle needs; samples give it. */
export function given(inputs: readonly (Array64 | null)[], index: number): Array64 {
  const input = at(inputs, index);
  if (!input) throw new RangeError(`the oracle needs input ${index}`);
  return input;
}
