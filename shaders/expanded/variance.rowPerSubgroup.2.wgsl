// variance y [4, 64]; written by npm run shaders
alias Value = vec4f;
const WORKGROUP: u32 = 64u;
fn apply(a: Value, b: Value) -> Value {
  return (a - b) * (a - b);
}
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  a_count: u32,
  b_count: u32,
}

@group(0) @binding(0) var<storage, read> a: array<Value>;

@group(0) @binding(1) var<storage, read> b: array<f32>;

@group(0) @binding(2) var<storage, read_write> y: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

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

  let left = a[index];

  let right = Value(b[0]);

  y[index] = apply(left, right);
}
