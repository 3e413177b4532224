/** Eigenvalues and singular values from their vectors: uᵀ A v, summed in float64, O(D²) each way. */
import { get } from "./float64.ts";

/** A matrix on the host, row-major. */
export interface HostMatrix {
  readonly values: Float32Array;
  readonly rows: number;
  readonly cols: number;
}

/** Σ over the rows of left · right, for each column. */
function columnDots(
  left: Float32Array,
  right: Float32Array | Float64Array,
  cols: number,
): Float64Array {
  const sums = new Float64Array(cols);
  for (let base = 0; base < left.length; base += cols)
    for (let column = 0; column < cols; column++) {
      const product = (left[base + column] ?? Number.NaN) * (right[base + column] ?? Number.NaN);
      sums[column] = get(sums, column) + product;
    }
  return sums;
}

/** uⱼᵀ (A vⱼ) / ‖uⱼ‖ ‖vⱼ‖ for each column, from the products A V [M, K] that the GPU made. */
export function quotients(
  u: Float32Array,
  v: Float32Array,
  products: Float32Array | Float64Array,
  cols: number,
): Float64Array {
  const above = columnDots(u, products, cols);
  const uNorms = columnDots(u, u, cols);
  const vNorms = u === v ? uNorms : columnDots(v, v, cols);
  return above.map((value, j) => {
    const below = Math.sqrt(get(uNorms, j) * get(vNorms, j));
    return below === 0 ? 0 : value / below;
  });
}

/** A column of a matrix with `cols` columns, on its own: elements beside each other are read faster. */
const columnOf = (matrix: Float32Array, column: number, cols: number): Float64Array =>
  new Float64Array(matrix.length / cols).map((_, row) => matrix[row * cols + column] ?? Number.NaN);

/** The same for one column of each, with A v in float64 too. */
function exactQuotient({ values, cols }: HostMatrix, u: Float64Array, v: Float64Array): number {
  let [above, uNorm, vNorm] = [0, 0, 0];
  for (let row = 0; row < u.length; row++) {
    let sum = 0;
    for (let k = 0; k < cols; k++) sum += (values[row * cols + k] ?? Number.NaN) * get(v, k);
    above += get(u, row) * sum;
    uNorm += get(u, row) ** 2;
  }
  for (let k = 0; k < cols; k++) vNorm += get(v, k) ** 2;
  const below = Math.sqrt(uNorm * vNorm);
  return below === 0 ? 0 : above / below;
}

/** Values that {@link refineLargest} treats: O(D²) each. */
const EXACT_VALUES = 4;

/**
 * Replaces the few values of largest size by exact quotients. Where all terms of A v have one sign,
 * as with a mean far from zero, f32 sums err alike in every row and no averaging helps.
 */
export function refineLargest(
  values: Float64Array,
  a: HostMatrix,
  u: Float32Array,
  v: Float32Array,
): void {
  const cols = values.length;
  const largest = Array.from(values.keys())
    .sort((i, j) => Math.abs(get(values, j)) - Math.abs(get(values, i)))
    .slice(0, EXACT_VALUES);
  for (const column of largest)
    values[column] = exactQuotient(a, columnOf(u, column, cols), columnOf(v, column, cols));
}

/** Largest ‖A vⱼ − λⱼ vⱼ‖ over the largest |λ|; the plain norm if all are zero. */
export function residualOf(values: Float64Array, v: Float32Array, products: Float32Array): number {
  const cols = values.length;
  const errors = new Float64Array(cols);
  for (let base = 0; base < v.length; base += cols)
    for (let column = 0; column < cols; column++) {
      const expected = get(values, column) * (v[base + column] ?? Number.NaN);
      const error = (products[base + column] ?? Number.NaN) - expected;
      errors[column] = get(errors, column) + error * error;
    }
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const worst = Math.sqrt(errors.reduce((top, value) => Math.max(top, value), 0));
  return largest === 0 ? worst : worst / largest;
}
