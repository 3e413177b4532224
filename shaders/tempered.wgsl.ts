/** Means of logits under their softmax at several temperatures, each row read from cache but once. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link tempered}. */
export interface TemperedOptions {
  /** Lanes that share one row. */
  readonly lanes: number;
  /** Rows of one workgroup; more than 1 only with subgroups. */
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
}

/**
 * x: [rows, cols], scales: [count]. y: [rows, count]: Σ_c p_c (x_c − max x), p = softmax(scale · x).
 * One row of lanes = one row of x, scale by scale.
 */
export const tempered = ({ lanes, rowsPerWorkgroup, subgroup }: TemperedOptions): string => wgsl`
#if ${subgroup}
enable subgroups;
#endif
const ROWS_PER_WORKGROUP: u32 = ${rowsPerWorkgroup}u;
${rowReduce({ lanes, subgroup })}
${flatWorkgroup}
struct Params {
  rows: u32,
  cols: u32,
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
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
  var own = LOWEST;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    own = max(own, x[base + c]);
  }
  let largest = row_max(own, lane);
  for (var k = 0u; k < params.count; k++) {
    let scale = scales[k];
    var total = 0.0;
    var weighted = 0.0;
    for (var c = lane; c < params.cols; c += ROW_LANES) {
      let below = x[base + c] - largest;
      let p = exp(scale * below);
      total += p;
      weighted += p * below;
    }
    let mean = row_sum(weighted, lane) / row_sum(total, lane);
    if (wanted < params.rows && lane == 0u) {
      y[row * params.count + k] = mean;
    }
  }
}
`;
