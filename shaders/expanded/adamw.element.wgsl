// adamw [256]; written by npm run shaders
const PACK_WIDTH: u32 = 4u;

alias Pack = vec4f;
fn pack_sum(value: Pack) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}

struct Params {
  count: u32,
  beta1: f32,
  rest1: f32, // 1 − beta1, rounded from float64 as the next two
  log_beta1: f32,
  log_beta2: f32,
  beta2: f32,
  rest2: f32, // 1 − beta2
  eps: f32,
  weight_decay: f32,
}
@group(0) @binding(0) var<storage, read_write> param: array<Pack>;
@group(0) @binding(1) var<storage, read> grad: array<Pack>;
@group(0) @binding(2) var<storage, read_write> m: array<Pack>;
@group(0) @binding(3) var<storage, read_write> v: array<Pack>;
@group(0) @binding(4) var<uniform> learning_rate: f32;
@group(0) @binding(5) var<uniform> step: f32;
@group(0) @binding(6) var<storage, read> grad_scale: array<f32>;

@group(0) @binding(7) var<uniform> params: Params;

// 1 − exp(x) for x < 0. Near 0 the difference would cancel, so there it is the Taylor series, whose
// first term left out is x^9/9!: below 1e-8 of the sum for x from −0.5 on.
fn one_minus_exp(x: f32) -> f32 {
  if (x < -0.5) {
    return 1.0 - exp(x);
  }
  var sum = 1.0;
  for (var k = 8.0; k > 1.0; k -= 1.0) {
    sum = 1.0 + sum * x / k;
  }
  return -x * sum;
}

fn element(index: u32) {

  let updates = step;

  let decay = Pack(params.weight_decay * learning_rate);

  let slope = grad[index] * grad_scale[0];
  let first = m[index] * params.beta1 + slope * params.rest1;
  let second = v[index] * params.beta2 + slope * slope * params.rest2;
  m[index] = first;
  v[index] = second;
  let correction1 = one_minus_exp(updates * params.log_beta1);
  let correction2 = one_minus_exp(updates * params.log_beta2);
  let size = sqrt(second / correction2) + Pack(params.eps);
  let value = param[index];
  param[index] = value - value * decay - (first * (learning_rate / correction1)) / size;
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
  let index = flat_workgroup(wid, groups) * 64u + lid.x;
  if (index < params.count) {
    element(index);
  }
}
