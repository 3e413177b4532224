/** Gradient of softmax from its output. dx[row, c] = y · (g − Σ_c g·y). */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";
import type { SoftmaxOptions } from "./softmax.wgsl.ts";

/** ROW_LANES lanes take one row. g, y, dx: [rows, cols]. */
export const softmaxBackward = ({
  lanes,
  rowsPerWorkgroup,
  subgroup,
}: SoftmaxOptions): string => wgsl`
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
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var dot = 0.0;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    dot += g[base + c] * y[base + c];
  }
  dot = row_sum(dot, lane);
  if (wanted < params.rows) {
    for (var c = lane; c < params.cols; c += ROW_LANES) {
      dx[base + c] = y[base + c] * (g[base + c] - dot);
    }
  }
}
`;
