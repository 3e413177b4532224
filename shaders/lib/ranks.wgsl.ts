/** What kernels that select by rank share: floats as whole numbers that sort alike, and places of lanes. */
import { wgsl } from "./wgsl.ts";

/** `sort_key(value)`: a whole number that sorts as the float does. */
export const sortKey: string = wgsl`
const SIGN: u32 = 0x80000000u;
fn sort_key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | SIGN, ~bits, bits >= SIGN);
}`;

/**
 * `row_before(value, lane)`: the sum of the values of the lanes before this one. Counts stay exact
 * in f32 below 2^24. Needs `rowReduce`.
 */
export const rowBefore = (subgroup: boolean): string => wgsl`
#if ${subgroup}
fn row_before(value: f32, lane: u32) -> f32 {
  return subgroupExclusiveAdd(value);
}
#else
fn row_before(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  row_partials[lane] = value;
  workgroupBarrier();
  var before = 0.0;
  for (var other = 0u; other < lane; other++) {
    before += row_partials[other];
  }
  return before;
}
#endif`;
