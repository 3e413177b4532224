// tempered y [4, 3]; written by npm run shaders
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
  cols: u32,
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
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
