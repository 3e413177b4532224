/** Small dense helpers in host float64, all O(D²) or less. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { NamedArray, ScoreState } from "./score.ts";

/** A float64 vector as two f32 rows, [2, D]: hi + lo keeps about 48 bits. */
export function splitVector(values: Float64Array): NamedArray {
  const hi = Float32Array.from(values);
  const lo = Float32Array.from(values, (value, index) => value - at(hi, index));
  const both = new Float32Array(2 * values.length);
  both.set(hi);
  both.set(lo, values.length);
  return { shape: [2, values.length], values: both };
}

/** A float64 matrix rounded to f32. */
export const matrixArray = (values: Float64Array, rows: number, cols: number): NamedArray => ({
  shape: [rows, cols],
  values: Float32Array.from(values),
});

/** A split vector on the GPU. */
export interface SplitTensor {
  readonly hi: Tensor; // [D]
  readonly lo: Tensor; // [D]
}

/** Uploads a split vector. */
export function splitTensor(engine: Engine, { shape, values }: NamedArray): SplitTensor {
  const dim = at(shape, 1);
  return {
    hi: engine.tensor(values.subarray(0, dim), [dim]),
    lo: engine.tensor(values.subarray(dim), [dim]),
  };
}

/** x − (hi + lo), row by row, without losing what the mean's rounding would cost. */
export const subtractSplit = (engine: Engine, x: Tensor, { hi, lo }: SplitTensor): Tensor =>
  engine.ops.sub(engine.ops.sub(x, hi), lo);

/** Uploads an array of a state. */
export const arrayTensor = (engine: Engine, { shape, values }: NamedArray): Tensor =>
  engine.tensor(values, shape);

/**
 * An array of a state by name.
 * @throws DataError if the state lacks it, as a damaged detector file would.
 */
export function stateArray(state: ScoreState, name: string): NamedArray {
  const array = state.arrays[name];
  if (!array) throw new DataError(`the score's state lacks "${name}"; fit and save it again`);
  return array;
}

/**
 * A numeric parameter of a state.
 * @throws DataError if the state lacks it.
 */
export function stateNumber(state: ScoreState, name: string): number {
  const value = state.params[name];
  if (typeof value !== "number")
    throw new DataError(`the score's state lacks the number "${name}"; fit and save it again`);
  return value;
}

/** Σ x_i². */
export const sumSquares = (values: Float64Array | Float32Array): number => {
  let total = 0;
  for (const value of values) total += value * value;
  return total;
};

/** Σ a_i b_i. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < a.length; index++) total += at(a, index) * at(b, index);
  return total;
}

/** Σ over rows of squares of a tensor [B, K], read as B numbers. */
export async function rowSumSquares(engine: Engine, x: Tensor): Promise<Float32Array> {
  return engine.ops.sum(engine.ops.square(x), { axes: [1] }).floats();
}
