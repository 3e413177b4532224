/** Checks on values before anything is computed from them. */
import { DataError } from "../util/errors.ts";

/**
 * Passes if every value of a block is finite; `start` is the index of its first element.
 * @throws DataError with how many are not and where the first stands.
 */
export function checkFinite(name: string, block: Float32Array, start = 0): void {
  let count = 0;
  let first = -1;
  block.forEach((value, index) => {
    if (Number.isFinite(value)) return;
    if (count === 0) first = index;
    count++;
  });
  if (count > 0)
    throw new DataError(
      `${name}: ${count} of ${block.length} values are NaN or infinite, the first (${block[first] ?? 0}) at index ${start + first}; extract the features again in f32, or drop those rows`,
    );
}

/**
 * Passes if every label is a class.
 * @throws DataError with the first label out of range.
 */
export function checkLabels(name: string, labels: Int32Array, classes: number): void {
  const bad = labels.findIndex((label) => label < 0 || label >= classes);
  if (bad >= 0)
    throw new DataError(
      `${name}: label ${labels[bad] ?? 0} at row ${bad} is outside 0…${classes - 1}; do the labels and the head belong together?`,
    );
}
