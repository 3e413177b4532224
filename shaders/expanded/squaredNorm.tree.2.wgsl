// squaredNorm y [1]; written by npm run shaders
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
  turns: u32,
  totals: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Pack>;
@group(0) @binding(1) var<storage, read_write> totals: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<f32, 64>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let which = flat_workgroup(wid, groups);
  let first = which * params.turns * WORKGROUP + lid.x;
  let end = min(first + params.turns * WORKGROUP, params.packs);
  var total = Pack(0.0);
  for (var index = first; index < end; index += WORKGROUP) {
    let value = x[index];

    total += value;

  }
  partials[lid.x] = pack_sum(total);
  workgroupBarrier();
  for (var span = WORKGROUP / 2u; span > 0u; span /= 2u) {
    if (lid.x < span) {
      partials[lid.x] += partials[lid.x + span];
    }
    workgroupBarrier();
  }
  if (lid.x == 0u && which < params.totals) {
    totals[which] = partials[0];
  }
}
