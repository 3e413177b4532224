/** Linear systems with triangular matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { TRIANGULAR_BLOCK } from "../util/blocks.ts";
import { NumericError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { refuseCapture, squareSize } from "./checks.ts";

/** Options of {@link solveTriangular}. */
export interface TriangularOptions {
  /** Which triangle of the matrix counts; the other one is not read. Default: true. */
  readonly lower?: boolean;
  /** Solve Tᵀ X = B instead. */
  readonly transpose?: boolean;
}

/** X [D, K], and a word on the GPU: negative, or the first row met with a zero on the diagonal. */
interface Solution {
  readonly x: Tensor;
  readonly singular: Tensor;
}

/** Rows first … first + rows − 1 of op(T) times what is solved of X: rows start … end − 1. */
function solvedShare(
  engine: Engine,
  { t, x, transpose }: { readonly t: Tensor; readonly x: Tensor; readonly transpose: boolean },
  [first, rows]: readonly [number, number],
  [start, end]: readonly [number, number],
): Tensor {
  const { ops } = engine;
  const [size, cols] = [at(x.shape, 0), at(x.shape, 1)];
  const solved = engine.view(x, [end - start, cols], start * cols * 4);
  if (transpose) {
    const below = engine.view(t, [end - start, size], start * size * 4);
    const part = ops.slice(below, { axis: 1, start: first, end: first + rows });
    return ops.matmul(part, solved, null, { transposeA: true });
  }
  const line = engine.view(t, [rows, size], first * size * 4);
  return ops.matmul(ops.slice(line, { axis: 1, start, end }), solved);
}

/** Blocked substitution without a look at any value; see {@link solveTriangular}. */
export function substitute(
  engine: Engine,
  t: Tensor,
  b: Tensor,
  { lower = true, transpose = false }: TriangularOptions = {},
): Solution {
  const { ops } = engine;
  const [size, cols] = [at(b.shape, 0), at(b.shape, 1)];
  const x = ops.slice(b, { end: size }); // a copy
  const singular = engine.tensor(new Int32Array([-1]));
  const isForward = lower !== transpose;
  const blocks = Math.ceil(size / TRIANGULAR_BLOCK);
  for (let turn = 0; turn < blocks; turn++) {
    const first = TRIANGULAR_BLOCK * (isForward ? turn : blocks - 1 - turn);
    const rows = Math.min(TRIANGULAR_BLOCK, size - first);
    engine.scope(() => {
      const block = engine.view(x, [rows, cols], first * cols * 4);
      if (turn > 0) {
        const solved = isForward ? ([0, first] as const) : ([first + rows, size] as const);
        const share = solvedShare(engine, { t, x, transpose }, [first, rows], solved);
        engine.assign(block, ops.sub(block, share));
      }
      ops.triangularBlock(t, block, singular, { first, lower, transpose });
    });
  }
  return { x, singular };
}

/**
 * X [D, K] with T X = B (Tᵀ X = B with `transpose`), T the lower or upper triangle of `t` [D, D]:
 * blocks of 64 rows, the rest by products.
 *
 * @throws ShapeError if `t` is not square, or `b` is not [D, K].
 * @throws NumericError if an element of the diagonal is zero; it names the row.
 * @throws CaptureError inside a program's capture.
 */
export async function solveTriangular(
  engine: Engine,
  t: Tensor,
  b: Tensor,
  options: TriangularOptions = {},
): Promise<Tensor> {
  refuseCapture("solveTriangular", engine);
  const size = squareSize("solveTriangular", t);
  if (b.shape.length !== 2 || b.shape[0] !== size)
    throw new ShapeError("solveTriangular", `b must be [${size}, K]`, { t: t.shape, b: b.shape });
  return engine.scope(async () => {
    const { x, singular } = substitute(engine, t, b, options);
    const row = await singular.item();
    if (row >= 0)
      throw new NumericError(
        `solveTriangular: t[${row}, ${row}] is zero; solve with lstsq or pinv, which take singular matrices`,
      );
    return x;
  });
}
