/** Refuses features and logits that are NaN or infinite. */
import type { FeatureSource } from "../io/index.ts";
import { DataError } from "../util/errors.ts";

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
    name: source.name,
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
  { name, rows: total, classes, logits }: FeatureSource,
  start: number,
): Promise<void> {
  if (!logits) return;
  await assertAllFinite("logits", values, {
    name,
    total,
    width: classes ?? 1,
    start,
    read: logits,
  });
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
  const first = values.findIndex((value) => !Number.isFinite(value));
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

const countBad = (values: Float32Array): number =>
  values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
