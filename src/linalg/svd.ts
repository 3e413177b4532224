/** Singular values and vectors by one-sided Jacobi: slower than eigh, accurate for graded matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { refuseCapture } from "./checks.ts";
import { jacobiSvd } from "./jacobiSvd.ts";
import { qr } from "./qr.ts";
import { sharpen } from "./sharpen.ts";

/** A = U Σ Vᵀ with K = min(M, N) singular values. */
export interface Svd {
  /** [M, K]: orthonormal columns, also where singular values are zero. */
  readonly u: Tensor;
  /** Descending: [K]. */
  readonly values: Float64Array;
  /** [N, K]: orthonormal columns, also where singular values are zero. */
  readonly v: Tensor;
}

/** The matrix divided by a power of two, so that squares neither overflow nor vanish. */
function prepare(raw: Float32Array, cols: number): { values: Float32Array; scale: number } {
  let largest = 0;
  for (let index = 0; index < raw.length; index++) {
    const value = raw[index] ?? Number.NaN;
    if (!Number.isFinite(value))
      throw new DataError(
        `svd: a[${Math.floor(index / cols)}, ${index % cols}] is ${value}; check the input for NaN or Inf`,
      );
    largest = Math.max(largest, Math.abs(value));
  }
  const scale = largest === 0 ? 1 : 2 ** Math.ceil(Math.log2(largest));
  return { values: raw.map((value) => value / scale), scale };
}

/**
 * Singular value decomposition of a matrix [M, N]. A QR first, then the columns of R
 * are rotated in pairs until all are orthogonal. Singular values keep their
 * relative accuracy where the larger side's scales are graded.
 *
 * @throws ShapeError if `a` is not a matrix or is empty.
 * @throws DataError if it holds NaN or Inf.
 * @throws CaptureError inside a program's capture.
 * @throws NoConvergenceError if the sweeps do not end.
 */
export async function svd(engine: Engine, a: Tensor): Promise<Svd> {
  refuseCapture("svd", engine);
  const [m = 0, n = 0] = a.shape;
  if (a.shape.length !== 2 || m === 0 || n === 0)
    throw new ShapeError("svd", "a must be a matrix and not empty", { a: a.shape });
  const { ops } = engine;
  return engine.scope(async () => {
    if (m >= n) return decompose(engine, a);
    const { u, values, v } = await decompose(engine, ops.permute(a, { axes: [1, 0] }));
    return { u: v, values, v: u };
  });
}

/** Elements up to which the host reads A again for exact products: 16 MiB. */
const EXACT_ELEMENTS = 2 ** 22;

/** A [M, N], M ≥ N, as Q times a square matrix, or as that matrix alone. */
async function squareOf(engine: Engine, tall: Tensor): Promise<{ q: Tensor | null; core: Tensor }> {
  if (at(tall.shape, 0) === at(tall.shape, 1)) return { q: null, core: tall };
  const { q, r } = await qr(engine, tall);
  return { q, core: r };
}

/** A = Q R, R = U' Σ Vᵀ, U = Q U' for M ≥ N: the columns of R are as graded as A's. */
async function decompose(engine: Engine, tall: Tensor): Promise<Svd> {
  const [m, n] = [at(tall.shape, 0), at(tall.shape, 1)];
  const { q, core } = await squareOf(engine, tall);
  const { values: inner, scale } = prepare(await core.floats(), n);
  const found = await jacobiSvd(engine, { values: inner, rows: n, cols: n });
  const u = q ? engine.ops.matmul(q, found.u) : found.u;
  const isWhole = tall.size <= EXACT_ELEMENTS;
  const [left, right, whole] = await Promise.all([
    (isWhole ? u : found.u).floats(),
    found.v.floats(),
    q && isWhole ? tall.floats() : null,
  ]);
  const host = whole
    ? { values: whole.map((value) => value / scale), rows: m, cols: n }
    : { values: inner, rows: n, cols: n };
  const values = await sharpen(engine, host, { ...found, u: left, v: right });
  return { u, values: values.map((value) => scale * value), v: found.v };
}
