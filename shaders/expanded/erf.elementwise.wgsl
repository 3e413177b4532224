// erf y [4, 64]; written by npm run shaders
const WORKGROUP: u32 = 64u;
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
fn erfc_tail(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = -0.06442495;
  p = p * t + 0.20885466;
  p = p * t - 0.19176866;
  p = p * t - 0.014478746;
  p = p * t - 0.008745821;
  p = p * t + 0.08291051;
  p = p * t + 0.17658184;
  p = p * t + 0.2468074;
  p = p * t + 0.28209558;
  p = p * t + 0.28209478;
  return exp(-z * z) * t * p;
}
fn erfc_positive(z: f32) -> f32 {
  let bounded = min(z, 12.0); // erfc(12) is below f32; keeps z² finite
  return select(erfc_tail(bounded), 1.0 - erf_series(z), z < 1.0);
}
fn erf_(x: f32) -> f32 {
  let outside = sign(x) * (1.0 - erfc_tail(min(abs(x), 12.0)));
  return select(outside, erf_series(x), abs(x) < 1.0);
}

fn apply(x: f32) -> f32 {
  return erf_(x);
}
alias Value = vec4f;
fn apply_all(value: Value) -> Value {
  return Value(apply(value.x), apply(value.y), apply(value.z), apply(value.w));
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
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
  if (index < params.count) {
    y[index] = apply_all(x[index]);
  }
}
