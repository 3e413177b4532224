/** Eigenvalues and singular values from their vectors: uᵀ A v, summed in float64, O(D²) each way. */
import { at } from "../util/shape.ts";
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
    for (let column = 0; column < cols; column++)
      sums[column] = get(sums, column) + at(left, base + column) * at(right, base + column);
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

/** The same for one column, with A v in float64 too. */
function exactQuotient(
  a: HostMatrix,
  u: Float32Array,
  v: Float32Array,
  { column, cols }: { readonly column: number; readonly cols: number },
): number {
  let [above, uNorm, vNorm] = [0, 0, 0];
  for (let row = 0; row < a.rows; row++) {
    let sum = 0;
    for (let k = 0; k < a.cols; k++)
      sum += at(a.values, row * a.cols + k) * at(v, k * cols + column);
    above += at(u, row * cols + column) * sum;
    uNorm += at(u, row * cols + column) ** 2;
  }
  for (let k = 0; k < a.cols; k++) vNorm += at(v, k * cols + column) ** 2;
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
  for (const column of largest) values[column] = exactQuotient(a, u, v, { column, cols });
}

/** Largest ‖A vⱼ − λⱼ vⱼ‖ over the largest |λ|; the plain norm if all are zero. */
export function residualOf(values: Float64Array, v: Float32Array, products: Float32Array): number {
  const cols = values.length;
  const errors = new Float64Array(cols);
  for (let base = 0; base < v.length; base += cols)
    for (let column = 0; column < cols; column++) {
      const error = at(products, base + column) - get(values, column) * at(v, base + column);
      errors[column] = get(errors, column) + error * error;
    }
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const worst = Math.sqrt(errors.reduce((top, value) => Math.max(top, value), 0));
  return largest === 0 ? worst : worst / largest;
}
