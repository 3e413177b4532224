// argmax of [4, 7]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  columns: u32,
  reduce: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
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
  let base = (index / params.columns) * params.reduce * params.columns + index % params.columns;
  var best = 0u;
  var largest = x[base];
  for (var row = 1u; row < params.reduce; row++) {
    let value = x[base + row * params.columns];
    if (value > largest) {
      largest = value;
      best = row;
    }
  }
  y[index] = i32(best);
}
