/** The k largest of what was found before and of a new part of each row: most of the part is read once. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowBefore, sortKey } from "./lib/ranks.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";
import type { TopkOptions } from "./topk.wgsl.ts";

/**
 * found: [rows, k], x: [rows, cols]. y: [rows, k], unsorted. Only what exceeds the least of found can
 * change it: each lane packs those of its run of columns into its run of survivors (a temporary of
 * x's shape), and topk's rounds of counting see only these and found.
 */
export const topkMerge = ({ lanes, rowsPerWorkgroup, subgroup }: TopkOptions): string => wgsl`
#if ${subgroup}
enable subgroups;
#endif
const ROWS_PER_WORKGROUP: u32 = ${rowsPerWorkgroup}u;
${rowReduce({ lanes, subgroup })}
${flatWorkgroup}
struct Params {
  rows: u32,
  cols: u32,
  k: u32,
}
@group(0) @binding(0) var<storage, read> found: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> survivors: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
${sortKey}
${rowBefore(subgroup)}

@compute @workgroup_size(${lanes * rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let wanted = flat_workgroup(wid, groups) * ROWS_PER_WORKGROUP + lid.x / ROW_LANES;
  let row = min(wanted, params.rows - 1u);
  let cols = select(0u, params.cols, wanted < params.rows); // surplus lanes write nothing
  let found_share = (params.k + ROW_LANES - 1u) / ROW_LANES;
  let found_first = row * params.k + min(lane * found_share, params.k);
  let found_end = row * params.k + min((lane + 1u) * found_share, params.k);
  var lowest = -LOWEST;
  for (var c = found_first; c < found_end; c++) {
    lowest = min(lowest, found[c]);
  }
  let least = -row_max(-lowest, lane);
  let share = (cols + ROW_LANES - 1u) / ROW_LANES;
  let first = row * params.cols + min(lane * share, cols);
  let last = row * params.cols + min((lane + 1u) * share, cols);
  var end = first;
  for (var c = first; c < last; c++) {
    let value = x[c];
    if (value > least) {
      survivors[end] = value;
      end++;
    }
  }
  var threshold = 0u;
  for (var bit = SIGN; bit > 0u; bit >>= 1u) {
    let candidate = threshold | bit;
    var own = 0.0;
    for (var c = found_first; c < found_end; c++) {
      own += select(0.0, 1.0, sort_key(found[c]) >= candidate);
    }
    for (var c = first; c < end; c++) {
      own += select(0.0, 1.0, sort_key(survivors[c]) >= candidate);
    }
    if (row_sum(own, lane) >= f32(params.k)) {
      threshold = candidate;
    }
  }
  var found_above = 0.0;
  var above = 0.0;
  var equal = 0.0;
  for (var c = found_first; c < found_end; c++) {
    found_above += select(0.0, 1.0, sort_key(found[c]) > threshold);
    equal += select(0.0, 1.0, sort_key(found[c]) == threshold);
  }
  for (var c = first; c < end; c++) {
    above += select(0.0, 1.0, sort_key(survivors[c]) > threshold);
    equal += select(0.0, 1.0, sort_key(survivors[c]) == threshold);
  }
  // The order of topk on both side by side; equals are all the same.
  let all_found = row_sum(found_above, lane);
  let all_above = all_found + row_sum(above, lane);
  var place = row * params.k + u32(row_before(found_above, lane));
  var place_of_equal = row * params.k + u32(all_above + row_before(equal, lane));
  let limit = select(0u, (row + 1u) * params.k, wanted < params.rows);
  for (var c = found_first; c < found_end; c++) {
    let key = sort_key(found[c]);
    if (key > threshold && place < limit) {
      y[place] = found[c];
      place++;
    }
    if (key == threshold && place_of_equal < limit) {
      y[place_of_equal] = found[c];
      place_of_equal++;
    }
  }
  place = row * params.k + u32(all_found + row_before(above, lane));
  for (var c = first; c < end; c++) {
    let key = sort_key(survivors[c]);
    if (key > threshold && place < limit) {
      y[place] = survivors[c];
      place++;
    }
    if (key == threshold && place_of_equal < limit) {
      y[place_of_equal] = survivors[c];
      place_of_equal++;
    }
  }
}
`;
