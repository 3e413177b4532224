// softmax y [4, 7]; written by npm run shaders
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
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

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
  let inside = lane + 0u * ROW_LANES < params.cols;
  let start = base + lane;

  let x0 = select(LOWEST, x[min(start + 0u * ROW_LANES, base + params.cols - 1u)], inside);
  var largest = x0;

  largest = row_max(largest, lane);

  let exp0 = select(0.0, exp(x0 - largest), inside);
  var total = exp0;

  let scale = 1.0 / row_sum(total, lane);
  if (wanted < params.rows) {

    if (inside) {
      y[start + 0u * ROW_LANES] = exp0 * scale;
    }
  }
}
