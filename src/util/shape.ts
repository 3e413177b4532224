/** Shapes, dtypes and metas: the vocabulary that kernels and engine share. Row-major, no strides. */
import { ShapeError } from "./errors.ts";

/** Element types. f16 is a way to store: kernels compute in f32. */
export type DType = "f32" | "f16" | "i32" | "u32";
/** Sizes along each axis, slowest first. */
export type Shape = readonly number[];
/** What a tensor is, without its values. */
export interface Meta {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u32: 4 };

const WORD_BYTES = 4; // WebGPU copies and writes whole words

/** Builds a meta; f32 unless told. */
export const meta = (shape: Shape, dtype: DType = "f32"): Meta => ({ shape, dtype });

/** Product of the sizes; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((total, size) => total * size, 1);

/** Bytes that a tensor of this meta takes, in whole words of 4. */
export const bytesOf = ({ shape, dtype }: Meta): number =>
  ceilDiv(sizeOf(shape) * ELEMENT_BYTES[dtype], WORD_BYTES) * WORD_BYTES;

/**
 * The element at an index, negative from the end.
 * @throws RangeError if there is none.
 */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const element = list[index < 0 ? list.length + index : index];
  if (element === undefined) throw new RangeError(`index ${index} outside 0…${list.length - 1}`);
  return element;
}

/** Same sizes in the same order. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** `[4, 7]`, as error messages and labels print it. */
export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Element strides of a row-major shape: [2, 3, 4] gives [12, 4, 1]. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = at(strides, axis + 1) * at(shape, axis + 1);
  return strides;
}

/**
 * The shape that a and b broadcast to, by numpy's rule.
 * @throws ShapeError naming the op if they do not.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[a.length - rank + axis] ?? 1;
    const sizeB = b[b.length - rank + axis] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1)
      throw new ShapeError(op, "shapes do not broadcast", { a, b });
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/**
 * Turns −1 into rank − 1 and so on.
 * @throws ShapeError if the axis does not exist.
 */
export function normaliseAxis(op: string, axis: number, shape: Shape): number {
  const normalised = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || normalised < 0 || normalised >= shape.length)
    throw new ShapeError(op, `axis ${axis} does not exist`, { x: shape });
  return normalised;
}

/** ⌈a / b⌉ for whole numbers. */
export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);
