// addRows [2, 3] to [5, 3]; written by npm run shaders
alias Value = f32;
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  rows: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read_write> table: array<Value>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read> change: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

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
  let row = indices[index / params.cols];
  if (row >= 0 && u32(row) < params.rows) {
    table[u32(row) * params.cols + index % params.cols] += change[index];
  }
}
