// crossEntropy lse [4, 7]; written by npm run shaders
const ROWS_PER_WORKGROUP: u32 = 1u;
const ROW_LANES: u32 = 64u;
const LOWEST: f32 = -3.4028234e38;

var<workgroup> row_partials: array<f32, 64>;
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

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  rows: u32,
  classes: u32,
  smoothing: f32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let wanted = flat_workgroup(wid, groups) * ROWS_PER_WORKGROUP + lid.x / ROW_LANES;
  let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
  let base = row * params.classes;
  var largest = LOWEST;
  for (var c = lane; c < params.classes; c += ROW_LANES) {
    largest = max(largest, logits[base + c]);
  }
  largest = row_max(largest, lane);
  var exp_total = 0.0;
  var below_total = 0.0; // Σ (max − z)
  for (var c = lane; c < params.classes; c += ROW_LANES) {
    let below = largest - logits[base + c];
    exp_total += exp(-below);
    below_total += below;
  }
  let log_total = log(row_sum(exp_total, lane));
  let mean_below = row_sum(below_total, lane) / f32(params.classes);
  if (lane == 0u && wanted < params.rows) {
    lse[row] = largest + log_total;
    let label = u32(labels[row]); // a negative label wraps around, past every class
    var loss = 0.0;
    if (label < params.classes) {
      let below = largest - logits[base + label];
      loss = log_total + (1.0 - params.smoothing) * below + params.smoothing * mean_below;
    }
    losses[row] = loss;
  }
}
