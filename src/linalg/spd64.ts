/** Symmetric positive definite systems in float64 on the host, for spectra wider than f32 holds. */
import { DataError } from "../util/errors.ts";
import { get } from "./float64.ts";

/** Lower L of A = L Lᵀ, in A's memory: [D · D]; what is above the diagonal is left. */
function factor(a: Float64Array, dim: number): void {
  for (let j = 0; j < dim; j++)
    for (let i = j; i < dim; i++) {
      let sum = get(a, i * dim + j);
      for (let k = 0; k < j; k++) sum -= get(a, i * dim + k) * get(a, j * dim + k);
      if (i === j && !(sum > 0))
        throw new DataError(`a matrix is not positive definite: pivot ${j} is ${sum}`);
      a[i * dim + j] = i === j ? Math.sqrt(sum) : sum / get(a, j * dim + j);
    }
}

/**
 * Solves x A = b for each row b by Cholesky, D³/3 + 2 rows D² operations: [rows · D].
 * @param a - symmetric, [D · D]; only its lower half is read.
 * @throws DataError if A is not positive definite.
 */
export function solveRows(a: Float64Array, b: Float64Array, dim: number): Float64Array {
  const lower = a.slice();
  factor(lower, dim);
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
