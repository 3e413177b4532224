/** Matrices in float64, as plain loops: what decompositions are judged with. */
import { at } from "../../src/util/shape.ts";

/** A matrix in float64, row-major. */
export class Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly values: Float64Array;

  /** @throws RangeError if the values do not fill the matrix. */
  constructor(rows: number, cols: number, values: ArrayLike<number>) {
    if (values.length !== rows * cols)
      throw new RangeError(`${values.length} values are no [${rows}, ${cols}]`);
    this.rows = rows;
    this.cols = cols;
    this.values = Float64Array.from(values);
  }

  /** Its transpose. */
  get transposed(): Matrix {
    const { rows, cols, values } = this;
    const turned = Float64Array.from(
      values,
      (_, index) => values[(index % rows) * cols + Math.floor(index / rows)] ?? Number.NaN,
    );
    return new Matrix(cols, rows, turned);
  }

  /** this · other. */
  times(other: Matrix): Matrix {
    const y = new Float64Array(this.rows * other.cols);
    for (let row = 0; row < this.rows; row++)
      for (let k = 0; k < this.cols; k++) {
        const factor = this.values[row * this.cols + k] ?? Number.NaN;
        if (factor === 0) continue;
        const [from, to] = [k * other.cols, row * other.cols];
        for (let col = 0; col < other.cols; col++)
          y[to + col] = (y[to + col] ?? 0) + factor * (other.values[from + col] ?? Number.NaN);
      }
    return new Matrix(this.rows, other.cols, y);
  }

  /** Column j times factors[j]. */
  stretched(factors: ArrayLike<number>): Matrix {
    const values = this.values.map((value, index) => value * at(factors, index % this.cols));
    return new Matrix(this.rows, this.cols, values);
  }

  /** Frobenius norm. */
  get norm(): number {
    return Math.sqrt(this.values.reduce((sum, value) => sum + value * value, 0));
  }

  /** ‖this − other‖ / ‖other‖. */
  offFrom(other: Matrix): number {
    const values = this.values.map((value, index) => value - at(other.values, index));
    return new Matrix(this.rows, this.cols, values).norm / (other.norm || 1);
  }

  /** Largest |QᵀQ − I|. */
  get skew(): number {
    const { values, cols } = this.transposed.times(this);
    return values.reduce(
      (worst, value, index) => worse(worst, Math.abs(value - Number(index % (cols + 1) === 0))),
      0,
    );
  }
}

/** The larger one, or NaN if either is NaN. */
export const worse = (one: number, other: number): number =>
  Number.isNaN(one) || Number.isNaN(other) ? Number.NaN : Math.max(one, other);

/** Largest element on the wrong side of the diagonal over the largest at all. */
export function offTriangle({ cols, values }: Matrix, isLower: boolean): number {
  let [wrong, largest] = [0, 0];
  values.forEach((value, index) => {
    const beyond = (index % cols) - Math.floor(index / cols);
    largest = worse(largest, Math.abs(value));
    if (isLower ? beyond > 0 : beyond < 0) wrong = worse(wrong, Math.abs(value));
  });
  return wrong / largest;
}

/** X with AᵀA X = Aᵀ B, by Cholesky in float64: A is well conditioned. */
export function leastSquares(a: Matrix, b: Matrix): Matrix {
  const [normal, sides] = [a.transposed.times(a).values, a.transposed.times(b)];
  const size = a.cols;
  const x = sides.values.slice();
  const width = sides.cols;
  const get = (row: number, col: number): number => normal[row * size + col] ?? Number.NaN;
  for (let j = 0; j < size; j++) {
    // Row operations without pivoting turn the matrix into an upper triangle.
    for (let i = j + 1; i < size; i++) {
      const factor = get(i, j) / get(j, j);
      for (let k = j; k < size; k++) normal[i * size + k] = get(i, k) - factor * get(j, k);
      for (let k = 0; k < width; k++)
        x[i * width + k] = at(x, i * width + k) - factor * at(x, j * width + k);
    }
  }
  for (let j = size - 1; j >= 0; j--)
    for (let k = 0; k < width; k++) {
      let sum = at(x, j * width + k);
      for (let i = j + 1; i < size; i++) sum -= get(j, i) * at(x, i * width + k);
      x[j * width + k] = sum / get(j, j);
    }
  return new Matrix(size, width, x);
}

/** Covariance with divisor N − 1. */
export function covariance(x: Matrix): Matrix {
  const means = new Float64Array(x.cols);
  x.values.forEach((value, index) => {
    means[index % x.cols] = at(means, index % x.cols) + value / x.rows;
  });
  const centred = new Matrix(
    x.rows,
    x.cols,
    x.values.map((value, index) => value - at(means, index % x.cols)),
  );
  const sums = centred.transposed.times(centred);
  return new Matrix(
    x.cols,
    x.cols,
    sums.values.map((value) => value / (x.rows - 1)),
  );
}
