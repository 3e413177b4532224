/** Eigenvalues and eigenvectors of symmetric matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { NumericError, ShapeError } from "../util/errors.ts";
import { prepareSymmetric, refuseCapture, squareSize } from "./checks.ts";
import type { Prepared } from "./checks.ts";
import { solveTridiagonal } from "./divide.ts";
import { get } from "./float64.ts";
import { quotients, refineLargest, residualOf } from "./rayleigh.ts";
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

/** A residual that no rounding explains: the adapter computed nonsense. */
const BROKEN = 1e-2;

/** Columns in another order. */
function reorder(vectors: Float32Array, order: readonly number[]): Float32Array {
  const size = order.length;
  const sorted = new Float32Array(vectors.length);
  for (let base = 0; base < sorted.length; base += size)
    for (let to = 0; to < size; to++)
      sorted[base + to] = vectors[base + (order[to] ?? -1)] ?? Number.NaN;
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
  return decompose(engine, prepareSymmetric("eigh", await a.floats(), size));
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
    const vectors = applyReflectors(engine, reduced, inner.vectors);
    const [columns, products] = await Promise.all([
      vectors.floats(),
      engine.ops.matmul(matrix, vectors).floats(),
    ]);
    const values = quotients(columns, columns, products, size);
    const residual = residualOf(values, columns, products);
    if (!(residual <= BROKEN))
      throw new NumericError(
        `eigh: residual ${residual.toExponential(1)} for a [${size}, ${size}]; the adapter's arithmetic is off, try another one (--adapter)`,
      );
    refineLargest(values, { values: scaled, rows: size, cols: size }, columns, columns);
    const order = Array.from(values.keys()).sort((i, j) => get(values, j) - get(values, i));
    const isSorted = order.every((from, to) => from === to);
    return {
      values: Float64Array.from(order, (index) => scale * get(values, index)),
      vectors: isSorted ? vectors : engine.tensor(reorder(columns, order), [size, size]),
      residual,
    };
  });
}
