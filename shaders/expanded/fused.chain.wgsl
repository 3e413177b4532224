// add y [6, 8] + geluBackward; written by npm run shaders
struct Params {
  count: u32,

}
@group(0) @binding(4) var<uniform> params: Params;
alias Value = vec4f;
fn add_stage(a: Value, b: Value) -> Value {
  return a + b;
}
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
const SQRT_HALF: f32 = 0.70710678;
const INV_SQRT_TWO_PI: f32 = 0.39894228;
struct Normal {
  cdf: f32,
  density: f32,
}
fn normal_(x: f32) -> Normal {
  let z = min(abs(x), 16.0); // the density at 16 is below f32
  let bell = exp(-0.5 * z * z);
  let tail = 0.5 * bell * erfcx_(z * SQRT_HALF);
  return Normal(select(tail, 1.0 - tail, x > 0.0), INV_SQRT_TWO_PI * bell);
}

fn gelu_slope(x: f32) -> f32 { let at = normal_(x); return at.cdf + x * at.density; }
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

fn element(index: u32) {
  finish(index);
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
