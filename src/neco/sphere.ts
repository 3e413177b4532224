/** Squared distances on the unit sphere as float64 has them: f32 products on the GPU tell which few decide, and the host computes those. */
import type { Engine } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { eachChunk } from "./bank.ts";
import { squaredGaps } from "../linalg/index.ts";
import type { NamedArray } from "./score.ts";

const MAX_LIKENESSES = 2 ** 23; // of a block to a bank, f32: 32 MiB

/** f32's rounding. */
const UNIT = 2 ** -24;

/** Rows of features on the unit sphere. */
export interface Rays {
  readonly units: Float64Array; // [N, D]; a row of zeros stays one
  readonly squares: Float64Array; // [N], of the unit rows: 1, or 0 for a row of zeros
  readonly dim: number;
}

/** Divides rows by their lengths. */
export function raysOf(values: Float32Array, dim: number): Rays {
  const units = new Float64Array(values.length);
  const squares = new Float64Array(values.length / dim);
  for (let row = 0; row < squares.length; row++) {
    const [start, end] = [row * dim, (row + 1) * dim];
    let total = 0;
    for (let j = start; j < end; j++) total += (values[j] ?? 0) ** 2;
    const length = total > 0 ? Math.sqrt(total) : 1;
    for (let j = start; j < end; j++) units[j] = (values[j] ?? 0) / length;
    squares[row] = total > 0 ? 1 : 0;
  }
  return { units, squares, dim };
}

/**
 * ‖â − b̂‖² of one row and some of a bank in float64, the same for both orders; 1 from a row of zeros,
 * whatever the rounding.
 */
export function squaredDistances(
  a: Rays,
  row: number,
  b: Rays,
  others: ArrayLike<number>,
): Float64Array {
  const own = a.units.subarray(row * a.dim, (row + 1) * a.dim);
  return squaredGaps(own, b.units, others).map((square, index) => {
    const both = at(a.squares, row) + at(b.squares, at(others, index));
    return both < 2 ? both : square;
  });
}

/**
 * How far a distance from an f32 product can be off, whatever the order of its D terms: Σ |â_j b̂_j| is
 * at most 1, each of them is rounded a few times, and the product counts twice.
 */
export const distanceError = (dim: number): number => 2 * (dim + 8) * UNIT;

/** Unit rows rounded to f32, as the GPU takes them. */
export const unitRows = ({ units, squares, dim }: Rays): NamedArray => ({
  shape: [squares.length, dim],
  values: Float32Array.from(units),
});

/**
 * Visits row by row the squared distances to a bank within {@link distanceError}, as many rows at a
 * time as memory allows. They lie in one array [N], which the next row overwrites.
 */
export async function eachDistance(
  engine: Engine,
  { rows, bank, units }: { readonly rows: Rays; readonly bank: Rays; readonly units: NamedArray },
  visit: (row: number, near: Float64Array) => void,
): Promise<void> {
  const queries = unitRows(rows).values;
  const { dim } = rows;
  const count = bank.squares.length;
  const total = rows.squares.length;
  const step = Math.max(1, Math.floor(MAX_LIKENESSES / count));
  const near = new Float64Array(count);
  for (let start = 0; start < total; start += step) {
    const end = Math.min(total, start + step);
    const query = { values: queries.subarray(start * dim, end * dim), rows: end - start, dim };
    const likeness = await likenesses(engine, query, units);
    for (let row = start; row < end; row++) {
      const first = (row - start) * count;
      const square = at(rows.squares, row);
      for (let j = 0; j < count; j++)
        near[j] = square + (bank.squares[j] ?? 0) - 2 * (likeness[first + j] ?? 0);
      visit(row, near);
    }
  }
}

/** ⟨query, bank row⟩: [rows · N]. */
async function likenesses(
  engine: Engine,
  query: { readonly values: Float32Array; readonly rows: number; readonly dim: number },
  units: NamedArray,
): Promise<Float32Array> {
  const { ops } = engine;
  const count = at(units.shape, 0);
  const all = new Float32Array(query.rows * count);
  let done = 0;
  await eachChunk<null>(engine, [units], query.rows, async ([chunk]) => {
    if (!chunk) throw new RangeError("likenesses: no bank");
    const rows = engine.tensor(query.values, [query.rows, query.dim]);
    const part = await ops.matmul(rows, chunk, null, { transposeB: true }).floats();
    const width = at(chunk.shape, 0);
    for (let row = 0; row < query.rows; row++)
      all.set(part.subarray(row * width, (row + 1) * width), row * count + done);
    done += width;
    return null;
  });
  return all;
}

/** First of low … high − 1 at which something holds that holds ever after; `high` if there is none. */
export function firstWhere(
  [low, high]: readonly [number, number],
  holds: (index: number) => boolean,
): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * Values of the sorted exact list at some ascending places. An order statistic is off by no more than
 * the numbers are; so what lies within twice the error of one is computed, and nothing else moves past it.
 * @param near - the numbers, each within `error`.
 * @param exact - computes some of them.
 */
export function orderStatistics(
  near: Float64Array,
  { places, error }: { readonly places: readonly number[]; readonly error: number },
  exact: (indices: readonly number[]) => Float64Array,
): Float64Array {
  const sorted = near.slice().sort();
  const wanted = Float64Array.from(places, (place) => at(sorted, place));
  const open: number[] = [];
  for (let index = 0; index < near.length; index++)
    if (isNear(wanted, near[index] ?? 0, 2 * error)) open.push(index);
  const mixed = near.slice();
  for (const [index, value] of exact(open).entries()) mixed[at(open, index)] = value;
  mixed.sort();
  return Float64Array.from(places, (place) => at(mixed, place));
}

/** Whether an ascending list has a value within `reach` of another. */
function isNear(list: Float64Array, value: number, reach: number): boolean {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) < value - reach) low = middle + 1;
    else high = middle;
  }
  return low < list.length && (list[low] ?? 0) <= value + reach;
}
