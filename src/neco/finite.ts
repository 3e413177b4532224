/** Refuses features and logits that are NaN or infinite. */
import type { FeatureSource } from "../io/index.ts";
import { DataError } from "../util/errors.ts";
import { setTitle } from "./checkSets.ts";

/**
 * Checks a block's features.
 * @throws DataError if some are NaN or infinite: how many of the source, and where the first is.
 */
export const assertFinite = (
  values: Float32Array,
  source: FeatureSource,
  start: number,
): Promise<void> =>
  assertAllFinite("feature values", values, {
    name: setTitle(source),
    total: source.rows,
    width: source.dim,
    start,
    read: (from, rows) => source.features(from, rows),
  });

/**
 * Checks a block's logits.
 * @throws DataError if some are NaN or infinite: how many of the source, and where the first is.
 */
export async function assertLogits(
  values: Float32Array,
  source: FeatureSource,
  start: number,
): Promise<void> {
  const { rows: total, classes, logits } = source;
  if (!logits) return;
  await assertAllFinite("logits", values, {
    name: setTitle(source),
    total,
    width: classes ?? 1,
    start,
    read: logits,
  });
}

const LARGEST = 1e18; // a hundred squares of it still add up within f32

/**
 * Checks that sums of squares of a block's features stay within f32.
 * @throws DataError with the first that is too large and its place.
 */
export function assertSquares(values: Float32Array, source: FeatureSource, start: number): void {
  let bad = 0;
  while (bad < values.length && Math.abs(values[bad] ?? 0) <= LARGEST) bad++;
  if (bad === values.length) return;
  const [row, column] = [start + Math.floor(bad / source.dim), bad % source.dim];
  throw new DataError(
    `${setTitle(source)}: the feature in row ${row}, column ${column} is ${(values[bad] ?? 0).toPrecision(3)}, and squares beyond 1e36 leave f32; drop that row or scale the features down`,
  );
}

/** Rows of a block within its source, and how others are read. */
interface Rows {
  readonly name: string;
  readonly total: number;
  readonly width: number;
  readonly start: number;
  readonly read: (start: number, rows: number) => Promise<Float32Array>;
}

async function assertAllFinite(
  what: string,
  values: Float32Array,
  { name, total, width, start, read }: Rows,
): Promise<void> {
  const first = firstBad(values);
  if (first < 0) return;
  // Blocks before this one were clean; count the rest, a block at a time.
  let count = countBad(values);
  const rows = values.length / width;
  for (let next = start + rows; next < total; next += rows)
    count += countBad(await read(next, Math.min(rows, total - next)));
  throw new DataError(
    `${name}: ${count} of ${total * width} ${what} are NaN or infinite, the first in row ${start + Math.floor(first / width)}, column ${first % width}; drop those rows or extract them again`,
  );
}

/** Where the first NaN or infinite value stands, or −1: a loop, which takes a seventh of findIndex's time. */
function firstBad(values: Float32Array): number {
  for (let index = 0; index < values.length; index++)
    if (!Number.isFinite(values[index])) return index;
  return -1;
}

const countBad = (values: Float32Array): number =>
  values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
