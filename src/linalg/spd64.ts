/** Symmetric positive definite systems in float64 on the host, for spectra wider than f32 holds. */
import { NotPositiveDefiniteError } from "../util/errors.ts";
import { get } from "./float64.ts";

/**
 * L [D · D], lower triangular, with A = L Lᵀ (Cholesky, row by row).
 * @throws NotPositiveDefiniteError if a pivot is not positive; it names the pivot.
 */
export function lowerFactor(caller: string, a: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++)
    for (let col = 0; col <= row; col++) {
      let rest = get(a, row * size + col);
      for (let k = 0; k < col; k++) rest -= get(lower, row * size + k) * get(lower, col * size + k);
      if (row === col && !(rest > 0)) throw new NotPositiveDefiniteError(caller, row);
      lower[row * size + col] = row === col ? Math.sqrt(rest) : rest / get(lower, col * size + col);
    }
  return lower;
}

/** Solves x L Lᵀ = b for each row b, 2 rows D² operations: [rows · D]. */
export function solveFactored(lower: Float64Array, b: Float64Array, dim: number): Float64Array {
  const x = b.slice();
  for (let start = 0; start < x.length; start += dim) {
    const row = x.subarray(start, start + dim);
    for (let i = 0; i < dim; i++) {
      let sum = get(row, i);
      for (let k = 0; k < i; k++) sum -= get(lower, i * dim + k) * get(row, k);
      row[i] = sum / get(lower, i * dim + i);
    }
    for (let i = dim - 1; i >= 0; i--) {
      const value = get(row, i) / get(lower, i * dim + i);
      row[i] = value;
      // By columns of Lᵀ, which are rows of L: memory in order.
      for (let k = 0; k < i; k++) row[k] = get(row, k) - value * get(lower, i * dim + k);
    }
  }
  return x;
}

/**
 * Solves x A = b for each row b by Cholesky, D³/3 + 2 rows D² operations: [rows · D].
 * @param a - symmetric, [D · D]; only its lower half is read.
 * @throws NotPositiveDefiniteError if A is not positive definite.
 */
export const solveRows = (a: Float64Array, b: Float64Array, dim: number): Float64Array =>
  solveFactored(lowerFactor("solveRows", a, dim), b, dim);
