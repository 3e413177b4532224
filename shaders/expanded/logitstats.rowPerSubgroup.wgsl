// logitstats y [4, 7]; written by npm run shaders
enable subgroups;

const ROWS_PER_WORKGROUP: u32 = 8u;
const ROW_LANES: u32 = 8u;
const LOWEST: f32 = -3.4028234e38;

fn row_sum(value: f32, lane: u32) -> f32 {
  return subgroupAdd(value);
}
fn row_max(value: f32, lane: u32) -> f32 {
  return subgroupMax(value);
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
  var own = LOWEST;
  var own_column = params.cols - 1u;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    if (x[base + c] > own) {
      own = x[base + c];
      own_column = c;
    }
  }
  let largest = row_max(own, lane);
  // Columns as floats: exact below 2^24.
  let column_key = select(LOWEST, -f32(own_column), own == largest);
  let column = u32(-row_max(column_key, lane));
  var next = LOWEST;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    next = max(next, select(x[base + c], LOWEST, c == column));
  }
  let second = row_max(next, lane);
  var tail = 0.0;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    tail += select(exp(x[base + c] - second), 0.0, c == column);
  }
  let others = row_sum(tail, lane);
  if (wanted < params.rows && lane == 0u) {
    y[4u * row] = largest;
    y[4u * row + 1u] = select(0.0, second - largest, params.cols > 1u);
    y[4u * row + 2u] = others;
    y[4u * row + 3u] = f32(column);
  }
}
