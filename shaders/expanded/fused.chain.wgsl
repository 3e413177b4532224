// add y [6, 8] + geluBackward; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,

}
@group(0) @binding(4) var<uniform> params: Params;
alias Value = vec4f;
fn add_stage(a: Value, b: Value) -> Value {
  return a + b;
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

const SQRT_HALF: f32 = 0.70710678;
const INV_SQRT_TWO_PI: f32 = 0.39894228;
fn normal_cdf(x: f32) -> f32 {
  let tail = 0.5 * erfc_positive(abs(x) * SQRT_HALF);
  return select(tail, 1.0 - tail, x > 0.0);
}
fn normal_density(x: f32) -> f32 {
  let bounded = min(abs(x), 16.0); // the density at 16 is below f32
  return INV_SQRT_TWO_PI * exp(-0.5 * bounded * bounded);
}

fn gelu_slope(x: f32) -> f32 { return normal_cdf(x) + x * normal_density(x); }
fn geluBackward_stage(g: Value, x: Value) -> Value {
  return g * Value(gelu_slope(x.x), gelu_slope(x.y), gelu_slope(x.z), gelu_slope(x.w));
}
@group(0) @binding(0) var<storage, read> operand0_0: array<Value>;
@group(0) @binding(1) var<storage, read> operand0_1: array<Value>;
@group(0) @binding(2) var<storage, read> operand1_1: array<Value>;
@group(0) @binding(3) var<storage, read_write> stored2: array<Value>;
fn finish(at: u32) {
  let value1 = add_stage(operand0_0[at], operand0_1[at]);
  let value2 = geluBackward_stage(value1, operand1_1[at]);
  stored2[at] = value2;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    finish(index);
  }
}
