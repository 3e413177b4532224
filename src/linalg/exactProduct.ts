/** Products whose large part is exact in f32: operands split into multiples of 2⁻¹¹ and a rest. */
import type { Engine, Tensor } from "../engine/index.ts";
import { get } from "./float64.ts";

/** Products of multiples of 2⁻¹¹ are multiples of 2⁻²², whose sums up to 4 are exact in f32. */
const GRID = 2 ** 11;

/** Lines of length at most 1: multiples of 2⁻¹¹, and what they leave, at most 2⁻¹² each. */
interface Split {
  readonly high: Tensor;
  readonly low: Tensor;
}

/** A matrix on the host, row-major. */
export interface Host {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** A power of two from the value up; 1 for zero. */
const powerAbove = (value: number): number => (value === 0 ? 1 : 2 ** Math.ceil(Math.log2(value)));

/** A vector's length: over its largest element, whose square may not fit. */
function lengthOf(vector: Float64Array): number {
  let largest = 0;
  for (let k = 0; k < vector.length; k++) largest = Math.max(largest, Math.abs(get(vector, k)));
  if (largest === 0) return 0;
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += (get(vector, k) / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** Each row's length, in float64, of the matrix with its columns over some scales. */
export function rowLengths(
  { values, rows, cols }: Host,
  ofCols: Float64Array = new Float64Array(cols).fill(1),
): Float64Array {
  const line = new Float64Array(cols);
  return new Float64Array(rows).map((_, row) => {
    for (let k = 0; k < cols; k++)
      line[k] = (values[row * cols + k] ?? Number.NaN) / get(ofCols, k);
    return lengthOf(line);
  });
}

/** A row-major matrix over the scales of its rows and of its columns, powers of two. */
function split(
  engine: Engine,
  { values, rows, cols }: Host,
  ofRows: (row: number) => number,
  ofCols: Float64Array,
): Split {
  const high = new Float32Array(values.length);
  const low = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const scale = ofRows(row);
    for (let col = 0; col < cols; col++) {
      const index = row * cols + col;
      const value = (values[index] ?? Number.NaN) / scale / get(ofCols, col);
      const coarse = Math.floor(value * GRID + 0.5) / GRID; // Math.round takes five times as long
      high[index] = coarse;
      low[index] = value - coarse;
    }
  }
  const shape = [rows, cols];
  return { high: engine.tensor(high, shape), low: engine.tensor(low, shape) };
}

/** Powers of two from the length of each column up, of the matrix with its rows over some. */
function columnScales({ values, rows, cols }: Host, ofRows: (row: number) => number): Float64Array {
  const squares = new Float64Array(cols);
  for (let row = 0; row < rows; row++) {
    const scale = ofRows(row);
    for (let col = 0; col < cols; col++)
      squares[col] = get(squares, col) + ((values[row * cols + col] ?? Number.NaN) / scale) ** 2;
  }
  return squares.map((square) => powerAbove(Math.sqrt(square)));
}

/**
 * A V [M, K] in float64 for A [M, N] whose elements are at most 1, and V [N, K]. It errs by 1e-9 of
 * ‖a D⁻¹‖ ‖D v‖ for a row a and a column v, D being the lengths of A's columns, where a product in
 * f32 errs by 1e-7 of ‖a‖ ‖v‖: graded columns keep their digits.
 */
export async function exactProduct(engine: Engine, a: Host, v: Host): Promise<Float64Array> {
  const one = (): number => 1;
  const inner = columnScales(a, one);
  const rows = rowLengths(a, inner).map(powerAbove);
  const whole = (row: number): number => 1 / get(inner, row);
  const cols = columnScales(v, whole);
  return engine.scope(async () => {
    const { ops } = engine;
    const left = split(engine, a, (row) => get(rows, row), inner);
    const right = split(engine, v, whole, cols);
    const large = ops.matmul(left.high, right.high);
    const small = ops.add(
      ops.matmul(left.high, right.low),
      ops.matmul(left.low, ops.add(right.high, right.low)),
    );
    const [above, below] = await Promise.all([large.floats(), small.floats()]);
    const product = new Float64Array(above.length);
    for (let row = 0; row < a.rows; row++)
      for (let col = 0; col < v.cols; col++) {
        const index = row * v.cols + col;
        const sum = (above[index] ?? Number.NaN) + (below[index] ?? Number.NaN);
        product[index] = get(rows, row) * get(cols, col) * sum;
      }
    return product;
  });
}

/** WᵀW [K, K] in float64 for columns W [M, K], good to 1e-9 of the columns' lengths. */
export async function exactGram(engine: Engine, w: Host): Promise<Float64Array> {
  return engine.scope(async () => {
    const { ops } = engine;
    const scales = columnScales(w, () => 1);
    const { high, low } = split(engine, w, () => 1, scales);
    const large = ops.matmul(high, high, null, { transposeA: true });
    // HᵀL + LᵀH + LᵀL = Z + Zᵀ with Z = (H + ½L)ᵀ L
    const half = ops.matmul(ops.add(high, ops.affine(low, { scale: 0.5 })), low, null, {
      transposeA: true,
    });
    const [above, side] = await Promise.all([large.floats(), half.floats()]);
    const size = w.cols;
    const products = new Float64Array(above.length);
    for (let row = 0; row < size; row++)
      for (let col = 0; col < size; col++) {
        const index = row * size + col;
        const upper = (above[index] ?? Number.NaN) + (side[index] ?? Number.NaN);
        const sum = upper + (side[col * size + row] ?? Number.NaN);
        products[index] = get(scales, row) * get(scales, col) * sum;
      }
    return products;
  });
}
