// erf y [4, 64]; written by npm run shaders
fn erfcx_(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = -0.0593638308;
  p = p * t + 0.286013931;
  p = p * t - 0.490179539;
  p = p * t + 0.281475186;
  p = p * t - 0.028971957;
  p = p * t + 0.203678474;
  p = p * t + 0.242853627;
  p = p * t + 0.282409579;
  p = p * t + 0.282084465;
  return p * t;
}
fn erf_series(x: f32) -> f32 {
  let s = x * x;
  var p = 7.853858e-5;
  p = p * s - 8.010193e-4;
  p = p * s + 5.1883277e-3;
  p = p * s - 2.6853811e-2;
  p = p * s + 0.11283585;
  p = p * s - 0.37612626;
  p = p * s + 1.1283791;
  return x * p;
}
fn erf_(x: f32) -> f32 {
  let z = min(abs(x), 12.0); // keeps z² finite; erfc(12) is below f32
  let outside = sign(x) * (1.0 - exp(-z * z) * erfcx_(z));
  return select(outside, erf_series(x), abs(x) < 1.0);
}

fn apply(x: f32) -> f32 {
  return erf_(x);
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
