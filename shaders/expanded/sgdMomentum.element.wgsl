// sgdMomentum [256]; written by npm run shaders
const PACK_WIDTH: u32 = 4u;

alias Pack = vec4f;
fn pack_sum(value: Pack) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}

struct Params {
  count: u32,
  momentum: f32,
  weight_decay: f32,
}
@group(0) @binding(0) var<storage, read_write> param: array<Pack>;
@group(0) @binding(1) var<storage, read> grad: array<Pack>;
@group(0) @binding(2) var<storage, read_write> velocity: array<Pack>;
@group(0) @binding(3) var<uniform> learning_rate: f32;
@group(0) @binding(4) var<storage, read> grad_scale: array<f32>;

@group(0) @binding(5) var<uniform> params: Params;

fn element(index: u32) {

  let decay = Pack(params.weight_decay);

  let value = param[index];
  let slope = grad[index] * grad_scale[0] + value * decay;
  let speed = velocity[index] * params.momentum + slope;
  velocity[index] = speed;

  param[index] = value - speed * learning_rate;

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
