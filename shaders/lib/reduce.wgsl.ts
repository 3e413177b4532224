/** Row reductions shared by softmax, layernorm and the like, in two flavours of one interface. */
import { wgsl } from "./wgsl.ts";

/** How the lanes of a row work together. */
export interface RowReduceOptions {
  /** Lanes that share a row. */
  readonly lanes: number;
  /** Through subgroup operations (lanes = the subgroup size); otherwise workgroup memory. */
  readonly subgroup: boolean;
}

/**
 * `row_sum(value, lane)` and `row_max(value, lane)`: every lane of the row gets the result. The
 * workgroup flavour halves the distance each step, so its order is fixed.
 */
export const rowReduce = ({ lanes, subgroup }: RowReduceOptions): string => wgsl`
const ROW_LANES: u32 = ${lanes}u;
const LOWEST: f32 = -3.4028234e38;
#if ${subgroup}
fn row_sum(value: f32, lane: u32) -> f32 {
  return subgroupAdd(value);
}
fn row_max(value: f32, lane: u32) -> f32 {
  return subgroupMax(value);
}
#else
var<workgroup> row_partials: array<f32, ${lanes}>;
fn row_sum(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  row_partials[lane] = value;
  workgroupBarrier();
  for (var width = ROW_LANES / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      row_partials[lane] += row_partials[lane + width];
    }
    workgroupBarrier();
  }
  return row_partials[0];
}
fn row_max(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  row_partials[lane] = value;
  workgroupBarrier();
  for (var width = ROW_LANES / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      row_partials[lane] = max(row_partials[lane], row_partials[lane + width]);
    }
    workgroupBarrier();
  }
  return row_partials[0];
}
#endif`;
