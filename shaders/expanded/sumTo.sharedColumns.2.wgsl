// sumTo [20] of [600, 20]; written by npm run shaders
alias Value = vec4f;
const WORKGROUP: u32 = 64u;
const START: f32 = 0.0;
fn combine(a: Value, b: Value) -> Value {
  return a + b;
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  columns: u32,
  parts: u32,
  reduce: u32,
  part_length: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Value>;

@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.count) {
    return;
  }
  let column = index % params.columns;
  let segment = index / params.columns;
  let first = (segment % params.parts) * params.part_length;
  let last = min(first + params.part_length, params.reduce);
  let base = (segment / params.parts) * params.reduce;
  var total = Value(START);
  for (var row = first; row < last; row++) {
    total = combine(total, Value(x[(base + row) * params.columns + column]));
  }
  y[index] = total * params.scale;
}
