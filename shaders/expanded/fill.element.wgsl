// fill [256]; written by npm run shaders
const PACK_WIDTH: u32 = 4u;

alias Pack = vec4f;
fn pack_sum(value: Pack) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}

struct Params {
  count: u32,
  keep: f32,
  scale: f32,
}
@group(0) @binding(0) var<storage, read_write> values: array<Pack>;

@group(0) @binding(1) var<uniform> params: Params;

fn element(index: u32) {

  values[index] = Pack(params.scale);

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
