/** Sums of rows by group, such as by class, on the GPU. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";

/**
 * Σ of the rows of each group: [K · W]. Rows of group −1 are left out.
 * @param rows - [B, W]
 * @param groups - the group of each row, −1 … K − 1.
 */
export function groupSums(
  engine: Engine,
  rows: Tensor,
  groups: Int32Array,
  count: number,
): Promise<Float32Array> {
  const { order, starts } = byGroup(groups, count);
  if (order.length === 0) return Promise.resolve(new Float32Array(count * at(rows.shape, 1)));
  return engine.ops.segmentSum(rows, engine.tensor(order), engine.tensor(starts)).floats();
}

/** Rows in the order of their groups, and where each group starts (one more than there are groups). */
function byGroup(
  groups: Int32Array,
  count: number,
): { readonly order: Int32Array; readonly starts: Int32Array } {
  const starts = new Int32Array(count + 1);
  for (const group of groups) if (group >= 0) starts[group + 1] = at(starts, group + 1) + 1;
  for (let group = 0; group < count; group++)
    starts[group + 1] = at(starts, group + 1) + at(starts, group);
  const next = starts.slice();
  const order = new Int32Array(at(starts, count));
  for (const [row, group] of groups.entries()) {
    if (group < 0) continue;
    order[at(next, group)] = row;
    next[group] = at(next, group) + 1;
  }
  return { order, starts };
}

/**
 * Adds numbers to float64 sums in place.
 * @throws RangeError if there are fewer numbers than sums.
 */
export function addTo(sums: Float64Array, numbers: ArrayLike<number>): void {
  if (numbers.length < sums.length)
    throw new RangeError(`${numbers.length} numbers for ${sums.length} sums`);
  for (let index = 0; index < sums.length; index++)
    sums[index] = (sums[index] ?? 0) + (numbers[index] ?? 0);
}

/** The label of each sample that is predicted right, −1 for the others. */
export const rightLabels = (labels: Int32Array, predicted: Int32Array): Int32Array =>
  labels.map((label, row) => (predicted[row] === label ? label : -1));
