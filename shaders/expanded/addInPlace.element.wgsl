// addInPlace [1]; written by npm run shaders
const WORKGROUP: u32 = 64u;
const PACK_WIDTH: u32 = 1u;

alias Pack = f32;
fn pack_sum(value: Pack) -> f32 {
  return value;
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  packs: u32,
  keep: f32,
  scale: f32,
}
@group(0) @binding(0) var<storage, read_write> values: array<Pack>;

@group(0) @binding(1) var<storage, read> x: array<Pack>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.packs) {
    return;
  }

  values[index] = values[index] * params.keep + x[index] * params.scale;

}
