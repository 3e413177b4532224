/** NC2, NC3 and NC5: the geometry of class means and classifier rows, all on C × D numbers. */
import type { Engine } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { dot, sumSquares } from "../arrays.ts";

/** Row vectors, [rows · dim]. */
export interface Rows {
  readonly values: Float64Array;
  readonly rows: number;
  readonly dim: number;
}

/** Row k of a set of row vectors. */
export const rowOf = ({ values, dim }: Rows, row: number): Float64Array =>
  values.subarray(row * dim, (row + 1) * dim);

/** Mean of the rows: for class means the global mean μ_G that neural collapse is about. */
export function meanRow(rows: Rows): Float64Array {
  const sum = new Float64Array(rows.dim);
  rows.values.forEach(
    (value, index) => (sum[index % rows.dim] = at(sum, index % rows.dim) + value),
  );
  return sum.map((value) => value / rows.rows);
}

/** Rows minus a vector. */
export const centred = ({ values, rows, dim }: Rows, centre: Float64Array): Rows => ({
  values: values.map((value, index) => value - at(centre, index % dim)),
  rows,
  dim,
});

/** Rows with one more below. */
export function withRow({ values, rows, dim }: Rows, row: Float64Array): Rows {
  const both = new Float64Array((rows + 1) * dim);
  both.set(values);
  both.set(row, rows * dim);
  return { values: both, rows: rows + 1, dim };
}

/** NC2 equinorm: standard deviation (C − 1) of the row norms over their mean. */
export function equinorm(rows: Rows): number {
  const norms = Float64Array.from({ length: rows.rows }, (_, row) =>
    Math.sqrt(sumSquares(rowOf(rows, row))),
  );
  const mean = norms.reduce((sum, norm) => sum + norm, 0) / rows.rows;
  const squares = norms.reduce((sum, norm) => sum + (norm - mean) ** 2, 0);
  return Math.sqrt(squares / (rows.rows - 1)) / mean;
}

/**
 * NC2 equiangularity: mean over pairs of |cos(v_i, v_j) + 1/(C − 1)|. The C²·D products run on the
 * GPU, as a Gram matrix of unit rows.
 */
export async function equiangularity(engine: Engine, rows: Rows): Promise<number> {
  const count = rows.rows;
  const unit = new Float32Array(rows.values.length);
  for (let row = 0; row < count; row++) {
    const norm = Math.sqrt(sumSquares(rowOf(rows, row))) || 1;
    rowOf(rows, row).forEach((value, column) => (unit[row * rows.dim + column] = value / norm));
  }
  const cosines = await engine.scope(async () => {
    const v = engine.tensor(unit, [count, rows.dim]);
    return engine.ops.matmul(v, v, null, { transposeB: true }).floats(); // [C, C]
  });
  const off = cosines.reduce((sum, cosine, index) => {
    const isDiagonal = index % (count + 1) === 0;
    return isDiagonal ? sum : sum + Math.abs(cosine + 1 / (count - 1));
  }, 0);
  return off / (count * (count - 1));
}

/** NC3 self-duality: ‖W/‖W‖ − M̃/‖M̃‖‖² (Frobenius), in [0, 4]. */
export function selfDuality(weights: Rows, means: Rows): number {
  const weightNorm = Math.sqrt(sumSquares(weights.values));
  const meanNorm = Math.sqrt(sumSquares(means.values));
  return sumSquares(
    weights.values.map((w, index) => w / weightNorm - at(means.values, index) / meanNorm),
  );
}

/** NC5 (NECO's OrthoDev): mean over classes of |cos(μ_c, μ_OOD)|, uncentred. */
export function orthogonality(means: Rows, ood: Float64Array): number {
  const oodNorm = Math.sqrt(sumSquares(ood));
  let sum = 0;
  for (let row = 0; row < means.rows; row++) {
    const mean = rowOf(means, row);
    sum += Math.abs(dot(mean, ood)) / (Math.sqrt(sumSquares(mean)) * oodNorm);
  }
  return sum / means.rows;
}
