/** Cholesky factors of symmetric positive definite matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { TRIANGULAR_BLOCK } from "../util/blocks.ts";
import { NotPositiveDefiniteError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { prepareSymmetric, refuseCapture, squareSize } from "./checks.ts";

/** R, upper triangular, and a word on the GPU: negative, or the index of the pivot that failed. */
interface UpperFactor {
  readonly factor: Tensor;
  readonly pivot: Tensor;
}

/**
 * R with A = Rᵀ R for `a` [D, D], which is read above the diagonal only and left as it is.
 * Right-looking: a block of rows at a time, then its share is taken off what is left.
 */
export function upperFactor(engine: Engine, a: Tensor): UpperFactor {
  const { ops } = engine;
  const size = at(a.shape, 0);
  const factor = engine.zeros([size, size]);
  const pivot = engine.tensor(new Int32Array([-1]));
  let rest = ops.slice(a, { end: size }); // a copy, which the panels overwrite
  for (let first = 0; first < size; first += TRIANGULAR_BLOCK) {
    const before = rest;
    rest = engine.scope(() => {
      const cols = size - first;
      const rows = Math.min(TRIANGULAR_BLOCK, cols);
      const panel = engine.view(before, [rows, cols], 0);
      ops.choleskyPanel(panel, pivot, { first });
      const target = engine.view(factor, [rows, size], first * size * 4);
      engine.assign(target, ops.pad(panel, { axis: 1, before: first }));
      if (rows === cols) return before;
      const right = ops.slice(panel, { axis: 1, start: rows }); // [B, rest]
      const corner = ops.slice(engine.view(before, [cols - rows, cols], rows * cols * 4), {
        axis: 1,
        start: rows,
      });
      return ops.sub(corner, ops.matmul(right, right, null, { transposeA: true }));
    });
    if (rest !== before) before.dispose();
  }
  rest.dispose();
  return { factor, pivot };
}

/**
 * L [D, D], lower triangular, with A = L Lᵀ: blocks of 64 columns, the rest by products.
 *
 * @throws ShapeError if `a` is not square or empty.
 * @throws DataError if it holds NaN or Inf, or is not symmetric.
 * @throws NotPositiveDefiniteError if a pivot is not positive; it names the pivot.
 * @throws CaptureError inside a program's capture.
 */
export async function cholesky(engine: Engine, a: Tensor): Promise<Tensor> {
  refuseCapture("cholesky", engine);
  const size = squareSize("cholesky", a);
  const { values, scale } = prepareSymmetric("cholesky", await a.floats(), size);
  const root = 2 ** Math.ceil(Math.log2(scale) / 2); // exact, as the scale's own root may not be
  const ratio = scale / root ** 2;
  return engine.scope(async () => {
    const { ops } = engine;
    for (let index = 0; index < values.length; index++)
      values[index] = (values[index] ?? Number.NaN) * ratio;
    const scaled = engine.tensor(values, [size, size]);
    const { factor, pivot } = upperFactor(engine, scaled);
    const failed = await pivot.item();
    if (failed >= 0) throw new NotPositiveDefiniteError("cholesky", failed);
    const lower = ops.permute(factor, { axes: [1, 0] });
    return ops.affine(lower, { scale: root });
  });
}
