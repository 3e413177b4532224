/** Softmax along the last axis. y[row, c] = exp(x − m) / s, m = max x, s = Σ exp(x − m). */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link softmax}. */
export interface SoftmaxOptions {
  /** Lanes that share one row. */
  readonly lanes: number;
  /** Rows of one workgroup; more than 1 only with subgroups. */
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
}

/** ROW_LANES lanes take one row, each every ROW_LANES-th column. x, y: [rows, cols]. */
export const softmax = ({ lanes, rowsPerWorkgroup, subgroup }: SoftmaxOptions): string => wgsl`
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
  var largest = LOWEST;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    largest = max(largest, x[base + c]);
  }
  largest = row_max(largest, lane);
  var total = 0.0;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    total += exp(x[base + c] - largest);
  }
  let scale = 1.0 / row_sum(total, lane);
  if (wanted < params.rows) {
    for (var c = lane; c < params.cols; c += ROW_LANES) {
      y[base + c] = exp(x[base + c] - largest) * scale;
    }
  }
}
`;
