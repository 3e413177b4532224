// crossEntropyBackward dlogits [4, 7]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  rows: u32,
  classes: u32,
  smoothing: f32,
}
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<uniform> valid_rows: u32;
@group(0) @binding(5) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.rows * params.classes) {
    return;
  }
  let row = index / params.classes;
  let valid = min(valid_rows, params.rows);
  let label = u32(labels[row]); // a negative label wraps around, past every class
  if (row >= valid || label >= params.classes) {
    dlogits[index] = 0.0;
    return;
  }
  let hit = select(0.0, 1.0 - params.smoothing, index - row * params.classes == label);
  let wanted = hit + params.smoothing / f32(params.classes);
  dlogits[index] = (exp(logits[index] - lse[row]) - wanted) * (g[0] / f32(valid));
}
