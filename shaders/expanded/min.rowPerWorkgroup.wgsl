// min of [4, 64]; written by npm run shaders
alias Value = vec4f;
const SEGMENTS_PER_WORKGROUP: u32 = 1u;
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

const START: f32 = 3.4028234e38;
fn combine(a: Value, b: Value) -> Value {
  return min(a, b);
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

fn lanes_total(value: f32, lane: u32) -> f32 {
  return -row_max(-value, lane);
}

fn value_total(value: Value) -> f32 {
  return min(min(value.x, value.y), min(value.z, value.w));
}

struct Params {
  segments: u32,
  parts: u32,
  reduce: u32,
  part_length: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Value>;

@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let wanted = flat_workgroup(wid, groups) * SEGMENTS_PER_WORKGROUP + lid.x / ROW_LANES;
  let segment = min(wanted, params.segments - 1u); // surplus lanes store nothing
  let first = (segment % params.parts) * params.part_length;
  let last = min(first + params.part_length, params.reduce);
  let base = (segment / params.parts) * params.reduce;
  var total = Value(START);
  for (var c = first + lane; c < last; c += ROW_LANES) {
    total = combine(total, Value(x[base + c]));
  }
  let result = lanes_total(value_total(total), lane);
  if (wanted < params.segments && lane == 0u) {
    y[segment] = result * params.scale;
  }
}
