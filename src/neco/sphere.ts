/** Squared distances on the unit sphere as float64 has them: f32 products on the GPU tell which few decide, and the host computes those. */
import type { Engine } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { eachChunk } from "./bank.ts";
import type { NamedArray } from "./score.ts";

const MAX_LIKENESSES = 2 ** 23; // of a block to a bank, f32: 32 MiB

/** f32's rounding. */
const UNIT = 2 ** -24;

/** Rows of features with their lengths. */
export interface Rays {
  readonly values: Float32Array; // [N, D], as given
  readonly lengths: Float64Array; // [N]; 1 for a row of zeros, which stays one
  readonly squares: Float64Array; // [N], of the unit rows: 1, or 0 for a row of zeros
  readonly dim: number;
}

/** Measures rows. */
export function raysOf(values: Float32Array, dim: number): Rays {
  const norms = Float64Array.from({ length: values.length / dim }, (_, row) => {
    let total = 0;
    for (let j = row * dim; j < (row + 1) * dim; j++) total += at(values, j) ** 2;
    return Math.sqrt(total);
  });
  return {
    values,
    lengths: norms.map((norm) => (norm > 0 ? norm : 1)),
    squares: norms.map((norm) => (norm > 0 ? 1 : 0)),
    dim,
  };
}

/** ‖â − b̂‖² in float64, the same for both orders; 1 from a row of zeros, whatever the rounding. */
export function squaredDistance(a: Rays, row: number, b: Rays, other: number): number {
  const { dim } = a;
  const both = at(a.squares, row) + at(b.squares, other);
  if (both < 2) return both;
  const [first, second] = [at(a.lengths, row), at(b.lengths, other)];
  let total = 0;
  for (let j = 0; j < dim; j++) {
    const gap = at(a.values, row * dim + j) / first - at(b.values, other * dim + j) / second;
    total += gap * gap;
  }
  return total;
}

/**
 * How far a distance from an f32 product can be off, whatever the order of its D terms: Σ |â_j b̂_j| is
 * at most 1, each of them is rounded a few times, and the product counts twice.
 */
export const distanceError = (dim: number): number => 2 * (dim + 8) * UNIT;

/** Unit rows rounded to f32, as the GPU takes them. */
export function unitRows({ values, lengths, dim }: Rays): NamedArray {
  const unit = values.map((value, index) => value / at(lengths, Math.floor(index / dim)));
  return { shape: [lengths.length, dim], values: unit };
}

/** Squared distances of a few rows to all of a bank, within {@link distanceError}. */
export interface NearDistances {
  /** The rows: start … end − 1. */
  readonly start: number;
  readonly end: number;
  /** Of one of them: [N]. */
  of(row: number): Float64Array;
}

/** Visits the distances of rows to a bank, as many rows at a time as memory allows. */
export async function eachDistance(
  engine: Engine,
  { rows, bank, units }: { readonly rows: Rays; readonly bank: Rays; readonly units: NamedArray },
  visit: (near: NearDistances) => void,
): Promise<void> {
  const queries = unitRows(rows).values;
  const { dim } = rows;
  const count = bank.lengths.length;
  const total = rows.lengths.length;
  const step = Math.max(1, Math.floor(MAX_LIKENESSES / count));
  for (let start = 0; start < total; start += step) {
    const end = Math.min(total, start + step);
    const query = { values: queries.subarray(start * dim, end * dim), rows: end - start, dim };
    const likeness = await likenesses(engine, query, units);
    visit({
      start,
      end,
      of(row) {
        const own = likeness.subarray((row - start) * count, (row - start + 1) * count);
        const square = at(rows.squares, row);
        const squares = new Float64Array(count);
        for (let j = 0; j < count; j++) squares[j] = square + at(bank.squares, j) - 2 * at(own, j);
        return squares;
      },
    });
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

/** First place in an ascending list part whose value is at least `value`; its end if there is none. */
export function firstAtLeast(
  list: Float64Array,
  [start, end]: readonly [number, number],
  value: number,
): number {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(list, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Values of the sorted exact list at some ascending places. An order statistic is off by no more than
 * the numbers are; so what lies within twice the error of one is computed, and nothing else moves past it.
 * @param near - the numbers, each within `error`.
 * @param exact - computes one of them.
 */
export function orderStatistics(
  near: Float64Array,
  { places, error }: { readonly places: readonly number[]; readonly error: number },
  exact: (index: number) => number,
): Float64Array {
  const sorted = near.slice().sort();
  const wanted = Float64Array.from(places, (place) => at(sorted, place));
  const whole = [0, wanted.length] as const;
  const mixed = near.map((value, index) => {
    const next = firstAtLeast(wanted, whole, value - 2 * error);
    return next < wanted.length && at(wanted, next) <= value + 2 * error ? exact(index) : value;
  });
  mixed.sort();
  return Float64Array.from(places, (place) => at(mixed, place));
}
