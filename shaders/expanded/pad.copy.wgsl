// pad y [4, 10]; written by npm run shaders
alias Value = u32;
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  x_cols: u32,
  y_cols: u32,
  before: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.count) {
    return;
  }
  let row = index / params.y_cols;
  let col = index % params.y_cols;
  var value = Value();
  if (col >= params.before && col < params.before + params.x_cols) {
    value = x[row * params.x_cols + col - params.before];
  }
  y[index] = value;
}
