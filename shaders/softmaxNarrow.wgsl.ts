/** Softmax of rows that fit in registers. y[row, c] = exp(x − m) / s, m = max x, s = Σ exp(x − m). */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";
import type { SoftmaxOptions } from "./softmax.wgsl.ts";

/** Options of {@link softmaxNarrow}. */
export interface SoftmaxNarrowOptions extends SoftmaxOptions {
  /** Columns of one lane: ⌈cols / lanes⌉. */
  readonly each: number;
}

/**
 * ROW_LANES lanes take one row, each every ROW_LANES-th column, which it reads, and raises to its
 * exponential, once. Only a lane's last column can lie past the row. x, y: [rows, cols].
 */
export const softmaxNarrow = (options: SoftmaxNarrowOptions): string => {
  const { lanes, rowsPerWorkgroup, subgroup, each } = options;
  const last = each - 1;
  return wgsl`
#if ${subgroup}
enable subgroups;
#endif
const ROWS_PER_WORKGROUP: u32 = ${rowsPerWorkgroup}u;
${rowReduce({ lanes, subgroup })}
${flatWorkgroup}
struct Params {
  rows: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(${lanes * rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let wanted = flat_workgroup(wid, groups) * ROWS_PER_WORKGROUP + lid.x / ROW_LANES;
  let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
  let base = row * params.cols;
  let inside = lane + ${last}u * ROW_LANES < params.cols;
  let start = base + lane;
${unroll(last, (k) => `  let x${k} = x[start + ${k}u * ROW_LANES];`)}
  let x${last} = select(LOWEST, x[min(start + ${last}u * ROW_LANES, base + params.cols - 1u)], inside);
  var largest = x0;
${unroll(last, (k) => `  largest = max(largest, x${k + 1});`)}
  largest = row_max(largest, lane);
${unroll(last, (k) => `  let exp${k} = exp(x${k} - largest);`)}
  let exp${last} = select(0.0, exp(x${last} - largest), inside);
  var total = exp0;
${unroll(last, (k) => `  total += exp${k + 1};`)}
  let scale = 1.0 / row_sum(total, lane);
  if (wanted < params.rows) {
${unroll(last, (k) => `    y[start + ${k}u * ROW_LANES] = exp${k} * scale;`)}
    if (inside) {
      y[start + ${last}u * ROW_LANES] = exp${last} * scale;
    }
  }
}
`;
};
