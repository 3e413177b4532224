// unaryBackward of abs dx [5, 13]; written by npm run shaders
fn abs_slope(x: f32) -> f32 { return sign(x); }
fn apply(x: f32) -> f32 {
  return abs_slope(x);
}
alias Value = f32;
fn apply_all(value: Value) -> Value {
  return apply(value);
}

struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> g: array<Value>;

@group(0) @binding(1) var<storage, read> x: array<Value>;

@group(0) @binding(2) var<storage, read_write> dx: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

fn element(index: u32) {
  dx[index] = g[index] * apply_all(x[index]);
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
