/** What the decompositions demand of their input, and how they prepare it. */
import type { Engine, Tensor } from "../engine/index.ts";
import { CaptureError, DataError, ShapeError } from "../util/errors.ts";

/** Largest |a − aᵀ| over largest |a| that still passes for rounding. */
const ASYMMETRY = 1e-3;

/** A symmetric matrix ready for the GPU. */
export interface Prepared {
  readonly size: number;
  /** ½(A + Aᵀ) / scale, row-major: elements at most 1. */
  readonly values: Float32Array;
  /** A power of two, so that scaling is exact. */
  readonly scale: number;
}

/**
 * Side of a square matrix.
 * @throws ShapeError if it is not square or empty.
 */
export function squareSize(op: string, a: Tensor): number {
  const [rows = 0, cols = 0] = a.shape;
  if (a.shape.length !== 2 || rows !== cols || rows === 0)
    throw new ShapeError(op, "a must be square and not empty", { a: a.shape });
  return rows;
}

/**
 * Decompositions look at values between steps, which a recorded program cannot.
 * @throws CaptureError inside a capture.
 */
export function refuseCapture(op: string, engine: Engine): void {
  if (engine.isCapturing)
    throw new CaptureError(`${op}: reads values as it goes; call it outside program()`);
}

function largestOf(op: string, values: Float32Array | Float64Array, size: number): number {
  let largest = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NaN;
    if (!Number.isFinite(value))
      throw new DataError(
        `${op}: a[${Math.floor(index / size)}, ${index % size}] is ${value}; check the features for NaN or Inf`,
      );
    largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

/**
 * Checks, symmetrises and scales a matrix [size, size]: O(D²) on the host.
 * @throws DataError if it holds NaN or Inf, or is not symmetric.
 */
export function prepareSymmetric(
  op: string,
  raw: Float32Array | Float64Array,
  size: number,
): Prepared {
  const largest = largestOf(op, raw, size);
  const scale = largest === 0 ? 1 : 2 ** Math.ceil(Math.log2(largest));
  const values = new Float32Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column <= row; column++) {
      const below = raw[row * size + column] ?? Number.NaN;
      const above = raw[column * size + row] ?? Number.NaN;
      if (Math.abs(below - above) > ASYMMETRY * largest)
        throw new DataError(
          `${op}: a is not symmetric: a[${row}, ${column}] = ${below}, a[${column}, ${row}] = ${above}`,
        );
      const value = (below / scale + above / scale) / 2;
      values[row * size + column] = value;
      values[column * size + row] = value;
    }
  return { size, values, scale };
}
