/** Matrices [M, N] that are hard in different ways, and float64 checks of what is made of them. */
import { at } from "../../src/util/shape.ts";
import { uniform } from "./matrices.ts";

/** A row-major matrix. */
export interface Dense {
  readonly rows: number;
  readonly cols: number;
  readonly values: Float32Array | Float64Array;
}

/** One whose values the GPU can take. */
interface Single extends Dense {
  readonly values: Float32Array;
}

const build = (
  rows: number,
  cols: number,
  element: (row: number, column: number) => number,
): Single => ({
  rows,
  cols,
  values: Float32Array.from({ length: rows * cols }, (_, index) =>
    element(Math.floor(index / cols), index % cols),
  ),
});

/** Orthonormal columns [rows, count] by Gram-Schmidt, twice, in float64. */
function orthonormal(rows: number, count: number, seed: number): Float64Array[] {
  const columns: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    let column = uniform(rows, seed + 1000 * k);
    for (let turn = 0; turn < 2; turn++) {
      for (const other of columns) {
        const dot = column.reduce((sum, value, i) => sum + value * at(other, i), 0);
        column = column.map((value, i) => value - dot * at(other, i));
      }
      const norm = Math.hypot(...column);
      column = column.map((value) => value / norm);
    }
    columns.push(column);
  }
  return columns;
}

/** U diag(σ) Vᵀ, rounded to f32. */
function withSpectrum(rows: number, cols: number, sigma: (part: number) => number): Single {
  const rank = Math.min(rows, cols);
  const [u, v] = [orthonormal(rows, rank, 21), orthonormal(cols, rank, 22)];
  const values = Float64Array.from({ length: rank }, (_, k) => sigma(k / Math.max(1, rank - 1)));
  return build(rows, cols, (i, j) =>
    values.reduce((sum, value, k) => sum + value * at(at(u, k), i) * at(at(v, k), j), 0),
  );
}

function random(rows: number, cols: number, scale: number): Single {
  const values = uniform(rows * cols, 23);
  return build(rows, cols, (i, j) => scale * at(values, i * cols + j));
}

function gradedColumns(rows: number, cols: number): Single {
  const values = uniform(rows * cols, 24);
  return build(
    rows,
    cols,
    (i, j) => at(values, i * cols + j) * 10 ** (-12 * (j / Math.max(1, cols - 1))),
  );
}

/** By name; each makes a matrix of any shape. */
export const families = {
  random: (rows: number, cols: number) => random(rows, cols, 1),
  repeated: (rows: number, cols: number) => withSpectrum(rows, cols, (p) => (p < 0.5 ? 1 : 0.5)),
  clustered: (rows: number, cols: number) => withSpectrum(rows, cols, (p) => 1 + 1e-6 * p),
  "rank-deficient": (rows: number, cols: number) =>
    withSpectrum(rows, cols, (p) => (p < 0.4 ? 1 - p : 0)),
  zero: (rows: number, cols: number) => build(rows, cols, () => 0),
  ones: (rows: number, cols: number) => build(rows, cols, () => 1),
  huge: (rows: number, cols: number) => random(rows, cols, 1e30),
  tiny: (rows: number, cols: number) => random(rows, cols, 1e-30),
  "graded columns": gradedColumns,
  "dense graded": (rows: number, cols: number) => withSpectrum(rows, cols, (p) => 10 ** (-5 * p)),
  hilbert: (rows: number, cols: number) => build(rows, cols, (i, j) => 1 / (i + j + 1)),
} as const;

/** A · B in float64; `transpose` takes Aᵀ. */
export function multiply(a: Dense, b: Dense, { transpose = false } = {}): Dense {
  const [rows, inner] = transpose ? [a.cols, a.rows] : [a.rows, a.cols];
  const values = new Float64Array(rows * b.cols);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const weight = at(a.values, transpose ? k * a.cols + i : i * a.cols + k);
      if (weight === 0) continue;
      for (let j = 0; j < b.cols; j++)
        values[i * b.cols + j] = at(values, i * b.cols + j) + weight * at(b.values, k * b.cols + j);
    }
  return { rows, cols: b.cols, values };
}

/** Frobenius norm, without overflow. */
export function norm({ values }: Dense): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let sum = 0;
  for (const value of values) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** ‖A − B‖ / ‖A‖, or ‖B‖ where A is zero. */
export function distance(a: Dense, b: Dense): number {
  const values = Float64Array.from(a.values, (value, index) => value - at(b.values, index));
  return norm({ ...a, values }) / (norm(a) || 1);
}

/** Largest |QᵀQ − I|. */
export function orthogonality(q: Dense): number {
  const { values, cols } = multiply(q, q, { transpose: true });
  let worst = 0;
  values.forEach((value, index) => {
    worst = Math.max(worst, Math.abs(value - Number(index % (cols + 1) === 0)));
  });
  return worst;
}
