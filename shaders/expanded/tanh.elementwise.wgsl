// tanh y [4, 64]; written by npm run shaders
fn tanh_(x: f32) -> f32 {
  let s = x * x;
  var p = -6.2355567e-3;
  p = p * s + 2.1039674e-2;
  p = p * s - 5.3842708e-2;
  p = p * s + 0.13332461;
  p = p * s - 0.3333331;
  p = p * s + 1.0;
  let e = exp(-2.0 * abs(x));
  let outside = sign(x) * (1.0 - 2.0 * e / (1.0 + e));
  return select(outside, x * p, abs(x) < 0.55);
}

fn apply(x: f32) -> f32 {
  return tanh_(x);
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
