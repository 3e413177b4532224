// oneHot y [9, 5]; written by npm run shaders
alias Value = f32;
fn matches(label: i32, first: i32) -> Value {
  return select(0.0, 1.0, label == first);
}

const WIDTH: u32 = 1u;
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  classes: u32,
}
@group(0) @binding(0) var<storage, read> labels: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    let first = i32((index % params.classes) * WIDTH);
    y[index] = matches(labels[index / params.classes], first);
  }
}
