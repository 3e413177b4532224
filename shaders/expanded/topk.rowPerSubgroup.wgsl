// topk 3 of [4, 7]; written by npm run shaders
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
  k: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const SIGN: u32 = 0x80000000u;
fn sort_key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | SIGN, ~bits, bits >= SIGN);
}

fn row_before(value: f32, lane: u32) -> f32 {
  return subgroupExclusiveAdd(value);
}

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
  // Each lane has a run of columns, so that places follow columns.
  let share = (params.cols + ROW_LANES - 1u) / ROW_LANES;
  let first = min(lane * share, params.cols);
  let end = min(first + share, params.cols);
  var threshold = 0u;
  for (var bit = SIGN; bit > 0u; bit >>= 1u) {
    let candidate = threshold | bit;
    var own = 0.0;
    for (var c = first; c < end; c++) {
      own += select(0.0, 1.0, sort_key(x[base + c]) >= candidate);
    }
    if (row_sum(own, lane) >= f32(params.k)) {
      threshold = candidate;
    }
  }
  var above = 0.0;
  var equal = 0.0;
  for (var c = first; c < end; c++) {
    let key = sort_key(x[base + c]);
    above += select(0.0, 1.0, key > threshold);
    equal += select(0.0, 1.0, key == threshold);
  }
  var place = u32(row_before(above, lane));
  var place_of_equal = u32(row_sum(above, lane)) + u32(row_before(equal, lane));
  if (wanted < params.rows) {
    for (var c = first; c < end; c++) {
      let value = x[base + c];
      let key = sort_key(value);
      if (key > threshold) {
        y[row * params.k + place] = value;
        place++;
      }
      if (key == threshold && place_of_equal < params.k) {
        y[row * params.k + place_of_equal] = value;
        place_of_equal++;
      }
    }
  }
}
