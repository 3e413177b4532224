// rsqrt y [4, 64]; written by npm run shaders
fn rsqrt_(x: f32) -> f32 { return inverseSqrt(x); }
fn apply(x: f32) -> f32 {
  return rsqrt_(x);
}
alias Value = vec4f;
fn apply_all(value: Value) -> Value {
  return Value(apply(value.x), apply(value.y), apply(value.z), apply(value.w));
}

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;

@group(0) @binding(2) var<uniform> params: Params;

fn element(index: u32) {
  y[index] = apply_all(x[index]);
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
