/** Eigenvalues and eigenvectors of symmetric matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { NumericError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { prepareSymmetric, refuseCapture, squareSize } from "./checks.ts";
import type { Prepared } from "./checks.ts";
import { solveTridiagonal } from "./divide.ts";
import { get } from "./float64.ts";
import { applyReflectors, tridiagonalise } from "./tridiagonalise.ts";

/** A = V Λ Vᵀ. */
export interface Eigen {
  /** Descending: [D]. */
  readonly values: Float64Array;
  /** [D, D]; column j belongs to `values[j]`. */
  readonly vectors: Tensor;
  /** Largest ‖A vⱼ − λⱼ vⱼ‖ over the largest |λ|, as measured: 0 for the zero matrix. */
  readonly residual: number;
}

/** Eigenvalues that the host refines by itself: O(D²) each. */
const EXACT_PAIRS = 4;

/** A residual that no rounding explains: the adapter computed nonsense. */
const BROKEN = 1e-2;

/** Rayleigh quotients vⱼᵀ A vⱼ / vⱼᵀ vⱼ and the residual, from V and A V: O(D²) in float64. */
function refine(
  vectors: Float32Array,
  products: Float32Array,
  size: number,
): { values: Float64Array; residual: number } {
  const norms = new Float64Array(size);
  const values = new Float64Array(size);
  for (let index = 0; index < vectors.length; index++) {
    const column = index % size;
    const v = at(vectors, index);
    norms[column] = get(norms, column) + v * v;
    values[column] = get(values, column) + v * at(products, index);
  }
  for (let column = 0; column < size; column++)
    values[column] = get(values, column) / get(norms, column);
  const errors = new Float64Array(size);
  for (let index = 0; index < vectors.length; index++) {
    const column = index % size;
    const error = at(products, index) - get(values, column) * at(vectors, index);
    errors[column] = get(errors, column) + error * error;
  }
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const worst = Math.sqrt(errors.reduce((top, value) => Math.max(top, value), 0));
  return { values, residual: largest === 0 ? worst : worst / largest };
}

/**
 * Rayleigh quotients of the few largest eigenpairs, all in float64. Where all terms of A v have one
 * sign, as for a mean far from zero, f32 sums err alike in every row and no averaging helps.
 */
function refineLargest(values: Float64Array, vectors: Float32Array, matrix: Float32Array): void {
  const size = values.length;
  const largest = Array.from(values.keys())
    .sort((i, j) => Math.abs(get(values, j)) - Math.abs(get(values, i)))
    .slice(0, EXACT_PAIRS);
  for (const column of largest) {
    const v = Float64Array.from({ length: size }, (_, row) => at(vectors, row * size + column));
    let above = 0;
    let below = 0;
    for (let row = 0; row < size; row++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += at(matrix, row * size + k) * get(v, k);
      above += get(v, row) * sum;
      below += get(v, row) ** 2;
    }
    values[column] = above / below;
  }
}

/** Columns in another order. */
function reorder(vectors: Float32Array, order: readonly number[]): Float32Array {
  const size = order.length;
  const sorted = new Float32Array(vectors.length);
  for (let row = 0; row < size; row++)
    order.forEach((from, to) => (sorted[row * size + to] = at(vectors, row * size + from)));
  return sorted;
}

/**
 * Eigenpairs of a symmetric matrix [D, D]: Householder tridiagonalisation on the GPU, divide &
 * conquer whose products run on the GPU, back-transformation on the GPU, and eigenvalues refined
 * by Rayleigh quotients. The host does O(D²), in float64. Eigenvectors have no preferred sign.
 *
 * @throws ShapeError if `a` is not square or empty.
 * @throws DataError if it holds NaN or Inf, or is not symmetric.
 * @throws CaptureError inside a program's capture.
 * @throws NoConvergenceError if an iteration reaches its cap.
 * @throws NumericError if the result does not solve the problem.
 */
export async function eigh(engine: Engine, a: Tensor): Promise<Eigen> {
  refuseCapture("eigh", engine);
  const size = squareSize("eigh", a);
  return decompose(engine, prepareSymmetric("eigh", Float64Array.from(await a.floats()), size));
}

/**
 * Like {@link eigh}, for a matrix [size · size] on the host: float64 spares covariances that f32
 * cannot hold an overflow.
 * @throws ShapeError if the matrix does not have size² elements.
 * @throws DataError if it holds NaN or Inf, or is not symmetric.
 */
export async function eighHost(engine: Engine, matrix: Float64Array, size: number): Promise<Eigen> {
  refuseCapture("eigh", engine);
  if (size === 0 || matrix.length !== size * size)
    throw new ShapeError("eigh", `${matrix.length} elements do not fill`, { a: [size, size] });
  return decompose(engine, prepareSymmetric("eigh", matrix, size));
}

async function decompose(
  engine: Engine,
  { size, values: scaled, scale }: Prepared,
): Promise<Eigen> {
  return engine.scope(async () => {
    const matrix = engine.tensor(scaled, [size, size]);
    const reduced = await tridiagonalise(engine, engine.tensor(scaled, [size, size]));
    const inner = solveTridiagonal(engine, reduced.diagonal, reduced.offDiagonal);
    const vectors = await applyReflectors(engine, reduced, inner.vectors);
    const columns = await vectors.floats();
    const products = await engine.ops.matmul(matrix, vectors).floats();
    const { values, residual } = refine(columns, products, size);
    if (!(residual <= BROKEN))
      throw new NumericError(
        `eigh: residual ${residual.toExponential(1)} for a [${size}, ${size}]; the adapter's arithmetic is off, try another one (--adapter)`,
      );
    refineLargest(values, columns, scaled);
    const order = Array.from(values.keys()).sort((i, j) => get(values, j) - get(values, i));
    const isSorted = order.every((from, to) => from === to);
    return {
      values: Float64Array.from(order, (index) => scale * get(values, index)),
      vectors: isSorted ? vectors : engine.tensor(reorder(columns, order), [size, size]),
      residual,
    };
  });
}
