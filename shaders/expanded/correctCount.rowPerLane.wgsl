// correctCount hits [4, 7]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  rows: u32,
  classes: u32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> hits: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let row = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (row >= params.rows) {
    return;
  }
  let base = row * params.classes;
  var best = 0u;
  var largest = logits[base];
  for (var c = 1u; c < params.classes; c++) {
    let value = logits[base + c];
    if (value > largest) {
      best = c;
      largest = value;
    }
  }
  hits[row] = select(0.0, 1.0, labels[row] == i32(best));
}
