// greaterEqual y [4, 7]; written by npm run shaders
alias Value = vec4f;
fn apply(a: Value, b: Value) -> Value {
  return select(Value(0.0), Value(1.0), a >= b);
}
struct Params {
  count: u32,
  a_count: u32,
  b_count: u32,
}

@group(0) @binding(0) var<storage, read> a: array<Value>;

@group(0) @binding(1) var<storage, read> b: array<Value>;

@group(0) @binding(2) var<storage, read_write> y: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

fn element(index: u32) {

  let left = a[index];

  let right = b[index];

  y[index] = apply(left, right);
}
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * 2048u + lid.x;
  let end = min(index + 2048u, params.count);
  for (var at = index; at < end; at += 64u) {
    element(at);
  }
}
