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
  const { ops } = engine;
  const member = ops.oneHot(engine.tensor(groups, [groups.length]), { classes: count }); // [B, K]
  return ops.matmul(member, rows, null, { transposeA: true }).floats();
}

/** Adds numbers to float64 sums in place. */
export function addTo(sums: Float64Array, numbers: ArrayLike<number>): void {
  for (let index = 0; index < sums.length; index++)
    sums[index] = at(sums, index) + at(numbers, index);
}

/** The label of each sample that is predicted right, −1 for the others. */
export const rightLabels = (labels: Int32Array, predicted: Int32Array): Int32Array =>
  labels.map((label, row) => (predicted[row] === label ? label : -1));
