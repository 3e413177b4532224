/** Singular vectors of a square matrix on the host: eigenvectors as a start, then one-sided Jacobi. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { orthogonaliseRows } from "./blockJacobi.ts";
import { eigh } from "./eigh.ts";
import { exactProduct, rowLengths } from "./exactProduct.ts";
import { get } from "./float64.ts";
import { orthonormalise } from "./qr.ts";
import type { HostMatrix } from "./rayleigh.ts";

/** A = U Σ Vᵀ, values descending as Jacobi left them. */
export interface Turned {
  readonly u: Tensor; // [D, D]
  readonly v: Tensor; // [D, D]
  readonly values: Float64Array;
}

/** Sides from which on eigenvectors of the Gram matrix, as a start, save more sweeps than they cost. */
const STARTED = 64;

/** Rows of lengths farther apart than this would lose digits in a product with eigenvectors. */
const GRADED = 1e3;

/** Rows shorter than this part of the longest are the rounding of A: they count as zero. */
const NOISE = 2 ** -24;

/** The same where columns are graded: the square of a shorter one has no room in f32. */
const VANISHED = 2 ** -60;

/** Rows of Aᵀ, turned: turns · Aᵀ = rows. */
interface Start {
  readonly rows: Tensor;
  readonly turns: Tensor;
}

const reversed = (engine: Engine, a: Tensor): Tensor => engine.ops.permute(a, { axes: [1, 0] });

/**
 * Columns of length 1 that are nearly orthogonal made so to f32's rounding, in one step of Newton and
 * Schulz. Lengths stay: sums of squares in f32, all terms of one sign, would err by more.
 */
function polish(engine: Engine, v: Tensor): Tensor {
  const { ops } = engine;
  const size = at(v.shape, 0);
  const halves = new Float32Array(size * size).fill(-0.5);
  for (let row = 0; row < size; row++) halves[row * (size + 1)] = 0;
  const gram = ops.matmul(v, v, null, { transposeA: true });
  return ops.add(v, ops.matmul(v, ops.mul(gram, engine.tensor(halves, [size, size]))));
}

/** The columns of a square matrix as rows. */
function rowsFrom(columns: Float32Array | Float64Array, size: number): Float32Array {
  const rows = new Float32Array(columns.length);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) rows[j * size + i] = columns[i * size + j] ?? Number.NaN;
  return rows;
}

/** Whether rows differ so much in length that a product would lose digits of the shortest. */
function isGraded(lengths: Float64Array): boolean {
  const longest = lengths.reduce((top, length) => Math.max(top, length), 0);
  return lengths.some((length) => length > 0 && longest > GRADED * length);
}

/** Rows in descending order of their lengths, with their turns: Jacobi then needs fewer sweeps. */
function sortedStart(engine: Engine, rows: Float32Array, lengths: Float64Array): Start {
  const size = lengths.length;
  const order = Array.from(lengths.keys()).sort((i, j) => get(lengths, j) - get(lengths, i));
  const sorted = new Float32Array(rows.length);
  const turns = new Float32Array(rows.length);
  const longest = get(lengths, at(order, 0));
  order.forEach((from, to) => {
    const isSeen = get(lengths, from) > VANISHED * longest;
    if (isSeen) sorted.set(rows.subarray(from * size, (from + 1) * size), to * size);
    turns[to * size + from] = 1;
  });
  return {
    rows: engine.tensor(sorted, [size, size]),
    turns: engine.tensor(turns, [size, size]),
  };
}

async function startOf(engine: Engine, a: HostMatrix): Promise<Start> {
  const { ops } = engine;
  const size = a.rows;
  const rows = rowsFrom(a.values, size);
  const plain = rowLengths({ values: rows, rows: size, cols: size });
  if (size < STARTED || isGraded(plain)) return sortedStart(engine, rows, plain);
  const matrix = engine.tensor(a.values, [size, size]);
  const { vectors } = await eigh(engine, ops.matmul(matrix, matrix, null, { transposeA: true }));
  const v = polish(engine, vectors);
  const columns = { values: await v.floats(), rows: size, cols: size };
  const turned = rowsFrom(await exactProduct(engine, a, columns), size);
  const lengths = rowLengths({ values: turned, rows: size, cols: size });
  const longest = lengths.reduce((top, length) => Math.max(top, length), 0);
  lengths.forEach((length, row) => {
    if (length <= NOISE * longest) turned.fill(0, row * size, (row + 1) * size);
  });
  return { rows: engine.tensor(turned, [size, size]), turns: reversed(engine, v) };
}

/** Rows as unit columns, in another order: [width, count]. */
function unitColumns(
  values: Float32Array,
  norms: Float64Array,
  order: readonly number[],
): Float32Array {
  const count = order.length;
  const width = values.length / count;
  const columns = new Float32Array(values.length);
  for (const [to, from] of order.entries()) {
    const norm = get(norms, from);
    if (norm === 0) continue;
    for (let i = 0; i < width; i++)
      columns[i * count + to] = (values[from * width + i] ?? Number.NaN) / norm;
  }
  return columns;
}

/**
 * Singular value decomposition of a square matrix whose elements are at most 1.
 * @throws NoConvergenceError if the sweeps do not end.
 */
export async function jacobiSvd(engine: Engine, a: HostMatrix): Promise<Turned> {
  const size = a.rows;
  const { rows, turns } = await startOf(engine, a);
  await orthogonaliseRows(engine, rows, turns);
  const [long, short] = await Promise.all([rows.floats(), turns.floats()]);
  // Rotations drift off unit length alike in rows and turns: the quotient is free of it.
  const rowNorms = rowLengths({ values: long, rows: size, cols: size });
  const turnNorms = rowLengths({ values: short, rows: size, cols: size });
  const sigma = rowNorms.map((norm, k) => norm / get(turnNorms, k));
  const order = Array.from(sigma.keys()).sort((i, j) => get(sigma, j) - get(sigma, i));
  const left = engine.tensor(unitColumns(long, rowNorms, order), [size, size]);
  return {
    // Zero columns become a basis of what the others leave; these stay but for rounding.
    u: rowNorms.includes(0) ? (await orthonormalise(engine, left)).q : polish(engine, left),
    v: engine.tensor(unitColumns(short, turnNorms, order), [size, size]),
    values: Float64Array.from(order, (k) => get(sigma, k)),
  };
}
