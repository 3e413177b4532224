/** Singular values and vectors by one-sided Jacobi: slower than eigh, accurate for graded matrices. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, NoConvergenceError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { pairsPerRound, roundsOf } from "../util/tournament.ts";
import { refuseCapture } from "./checks.ts";
import { eigh } from "./eigh.ts";
import { get } from "./float64.ts";
import { orthonormalise, qr } from "./qr.ts";
import { quotients, refineLargest } from "./rayleigh.ts";
import type { HostMatrix } from "./rayleigh.ts";

/** A = U Σ Vᵀ with K = min(M, N) singular values. */
export interface Svd {
  /** [M, K]: orthonormal columns, also where singular values are zero. */
  readonly u: Tensor;
  /** Descending: [K]. */
  readonly values: Float64Array;
  /** [N, K]: orthonormal columns, also where singular values are zero. */
  readonly v: Tensor;
}

/** 6 to 12 sweeps are usual. */
const MAX_SWEEPS = 40;

/** Cosine between rows that counts as orthogonal: the rounding of their product in f32. */
const tolerance = (length: number): number => 4 * 2 ** -24 * Math.sqrt(Math.max(16, length));

/** Rows that are orthogonal after `turns` (orthogonal up to rounding) were applied to the input. */
interface Orthogonal {
  readonly rows: Float32Array;
  readonly turns: Float32Array;
}

/** Sides from which on eigenvectors of the Gram matrix, as a start, save more sweeps than they cost. */
const STARTED = 100;

/** Rows of lengths farther apart than this would lose digits in a product with eigenvectors. */
const GRADED = 1e3;

/** Rows and turns to begin with: as they are, or turned by eigenvectors of R Rᵀ, nearly orthogonal. */
async function startOf(
  engine: Engine,
  values: Float32Array,
  count: number,
  length: number,
): Promise<{ rows: Tensor; turns: Tensor }> {
  const { ops } = engine;
  const rows = engine.tensor(values, [count, length]);
  const norms = lengths(values, count);
  const shortest = norms.reduce((least, norm) => Math.min(least, norm), Infinity);
  const longest = norms.reduce((most, norm) => Math.max(most, norm), 0);
  if (count < STARTED || longest > GRADED * shortest) {
    const identity = new Float32Array(count * count);
    for (let row = 0; row < count; row++) identity[row * count + row] = 1;
    return { rows, turns: engine.tensor(identity, [count, count]) };
  }
  const { vectors } = await eigh(engine, ops.matmul(rows, rows, null, { transposeB: true }));
  const { q } = await orthonormalise(engine, vectors);
  return {
    rows: ops.matmul(q, rows, null, { transposeA: true }),
    turns: ops.permute(q, { axes: [1, 0] }),
  };
}

async function orthogonalise(
  engine: Engine,
  values: Float32Array,
  count: number,
  length: number,
): Promise<Orthogonal> {
  const { ops } = engine;
  const { rows, turns } = await startOf(engine, values, count, length);
  const rounds = roundsOf(count);
  let isLast = false; // one more sweep after the measure is met: it errs on the safe side in clusters
  for (let sweep = 0; ; sweep++) {
    const worst = engine.zeros([pairsPerRound(count)]);
    for (let round = 0; round < rounds; round++) ops.jacobiRotate(rows, turns, worst, { round });
    if (isLast) break;
    const largest = (await worst.floats()).reduce((top, value) => Math.max(top, value), 0);
    isLast = largest <= tolerance(length);
    if (sweep === MAX_SWEEPS) throw new NoConvergenceError("one-sided Jacobi", sweep, largest);
  }
  return { rows: await rows.floats(), turns: await turns.floats() };
}

/** Length of each row, in float64. */
const lengths = (values: Float32Array, count: number): Float64Array => {
  const width = values.length / count;
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += at(values, row * width + i) ** 2;
    return Math.sqrt(sum);
  });
};

/** Rows as unit columns, in another order: [width, count]. */
function unitColumns(
  values: Float32Array,
  norms: Float64Array,
  order: readonly number[],
): Float32Array {
  const count = order.length;
  const width = values.length / count;
  const columns = new Float32Array(values.length);
  order.forEach((from, to) => {
    const norm = get(norms, from);
    for (let i = 0; i < width; i++)
      columns[i * count + to] = norm === 0 ? 0 : at(values, from * width + i) / norm;
  });
  return columns;
}

function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) result[col * rows + row] = at(values, row * cols + col);
  return result;
}

/** The matrix divided by a power of two, so that squares neither overflow nor vanish. */
function prepare(raw: Float32Array, cols: number): { values: Float32Array; scale: number } {
  let largest = 0;
  raw.forEach((value, index) => {
    if (!Number.isFinite(value))
      throw new DataError(
        `svd: a[${Math.floor(index / cols)}, ${index % cols}] is ${value}; check the input for NaN or Inf`,
      );
    largest = Math.max(largest, Math.abs(value));
  });
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
  return engine.scope(() => (Math.min(m, n) > 1 ? throughQr(engine, a) : rotated(engine, a)));
}

/** Elements up to which the host reads A again for the largest values: 16 MiB. */
const EXACT_ELEMENTS = 2 ** 22;

/**
 * Tall: A = Q R, R = U' Σ Vᵀ, U = Q U'. Wide: the same of Aᵀ. Of a matrix of low rank, R's columns
 * end in zeros, which rotations keep: directions without a singular value stay free of noise.
 */
async function throughQr(engine: Engine, a: Tensor): Promise<Svd> {
  const { ops } = engine;
  const isTall = at(a.shape, 0) >= at(a.shape, 1);
  const { q, r } = await qr(engine, isTall ? a : ops.permute(a, { axes: [1, 0] }));
  const { u, values, v } = await rotated(engine, r);
  const long = ops.matmul(q, u);
  const found = isTall ? { u: long, values, v } : { u: v, values, v: long };
  return a.size > EXACT_ELEMENTS ? found : exactLargest(a, found);
}

async function exactLargest(a: Tensor, found: Svd): Promise<Svd> {
  const [rows, cols] = [at(a.shape, 0), at(a.shape, 1)];
  const values = found.values.slice();
  const host = { values: await a.floats(), rows, cols };
  refineLargest(values, host, await found.u.floats(), await found.v.floats());
  return { ...found, values: values.sort((one, other) => other - one) };
}

async function rotated(engine: Engine, a: Tensor): Promise<Svd> {
  const [m, n] = [at(a.shape, 0), at(a.shape, 1)];
  const { values: scaled, scale } = prepare(await a.floats(), n);
  // The columns of a square matrix are rotated: those of R are as graded as A's.
  const isWide = m < n;
  const [count, length] = isWide ? [m, n] : [n, m];
  const { rows, turns } = await orthogonalise(
    engine,
    isWide ? scaled : transposed(scaled, m, n),
    count,
    length,
  );
  // Rotations drift off unit length alike in rows and turns: the quotient is free of it.
  const rowNorms = lengths(rows, count);
  const turnNorms = lengths(turns, count);
  const sigma = rowNorms.map((norm, k) => norm / get(turnNorms, k));
  const order = Array.from(sigma.keys()).sort((i, j) => get(sigma, j) - get(sigma, i));
  const short = unitColumns(turns, turnNorms, order);
  const long = unitColumns(rows, rowNorms, order);
  const [u, v] = isWide ? [short, long] : [long, short];
  const sorted = Float64Array.from(order, (k) => get(sigma, k));
  const right = engine.tensor(v, [n, count]);
  const host = { values: scaled, rows: m, cols: n };
  const values = await refine(engine, host, { sorted, u, v, right });
  const [left, whole] = [engine.tensor(u, [m, count]), !rowNorms.includes(0)];
  return {
    u: whole || isWide ? left : await completed(engine, left),
    values: values.map((value) => scale * value),
    v: whole || !isWide ? right : await completed(engine, right),
  };
}

/** Zero columns become a basis of what the others leave; these stay but for rounding. */
const completed = async (engine: Engine, columns: Tensor): Promise<Tensor> =>
  (await orthonormalise(engine, columns)).q;

/** Singular values at least this part of the largest gain from Rayleigh quotients. */
const REFINED = 0.25;

/**
 * The large singular values as quotients uᵀ A v, which err by f32's rounding of A; the small ones as
 * Jacobi left them, which err by a few roundings of themselves.
 */
async function refine(
  engine: Engine,
  a: HostMatrix,
  found: {
    readonly sorted: Float64Array;
    readonly u: Float32Array;
    readonly v: Float32Array;
    readonly right: Tensor;
  },
): Promise<Float64Array> {
  const { sorted, u, v, right } = found;
  const product = engine.ops.matmul(engine.tensor(a.values, [a.rows, a.cols]), right);
  const better = quotients(u, v, await product.floats(), sorted.length);
  const largest = at(sorted, 0);
  const values = sorted.map((value, k) => (value >= REFINED * largest ? get(better, k) : value));
  refineLargest(values, a, u, v);
  return values.sort((one, other) => other - one);
}
