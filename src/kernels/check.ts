/** Input checks that many ops share: dtypes and axes, with errors in the caller's words. */
import { ShapeError } from "../util/errors.ts";
import { normaliseAxis } from "../util/shape.ts";
import type { DType, Meta, Shape } from "../util/shape.ts";
import { need } from "./op.ts";
import type { InputMetas } from "./op.ts";

/** Attributes of ops that have none. */
export type NoAttrs = Readonly<Record<string, never>>;

/**
 * The meta of a required input of one dtype.
 * @throws ShapeError naming op and input if the dtype differs.
 */
export function needDtype(
  op: string,
  inputs: InputMetas,
  [index, name]: readonly [number, string],
  dtype: DType = "f32",
): Meta {
  const input = need(inputs, index);
  if (input.dtype !== dtype)
    throw new ShapeError(op, `${name} must be ${dtype}, not ${input.dtype}; use cast`, {
      [name]: input.shape,
    });
  return input;
}

/**
 * The meta of a required input that may be stored in either float type.
 * @throws ShapeError naming op and input if it is neither.
 */
export function needFloat(
  op: string,
  inputs: InputMetas,
  [index, name]: readonly [number, string],
): Meta {
  const input = need(inputs, index);
  if (input.dtype !== "f32" && input.dtype !== "f16")
    throw new ShapeError(op, `${name} must be f32 or f16, not ${input.dtype}; use cast`, {
      [name]: input.shape,
    });
  return input;
}

/**
 * Axes counted from the front, in ascending order; null means all of them.
 * @throws ShapeError if one does not exist or comes twice.
 */
export function normaliseAxes(op: string, axes: readonly number[] | null, shape: Shape): number[] {
  if (axes === null) return shape.map((_, axis) => axis);
  const normalised = axes.map((axis) => normaliseAxis(op, axis, shape));
  if (new Set(normalised).size !== normalised.length)
    throw new ShapeError(op, `axes [${axes.join(", ")}] name one axis twice`, { x: shape });
  return normalised.sort((a, b) => a - b);
}
