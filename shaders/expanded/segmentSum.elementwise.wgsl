// segmentSum y [3, 3]; written by npm run shaders
alias Value = f32;
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32,
  rows: u32,
  cols: u32,
  order_count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read> order: array<i32>;
@group(0) @binding(2) var<storage, read> starts: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<Value>;
@group(0) @binding(4) var<uniform> params: Params;

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
  let segment = index / params.cols;
  let col = index % params.cols;
  let end = min(u32(starts[segment + 1u]), params.order_count);
  var total = Value();
  for (var i = u32(starts[segment]); i < end; i++) {
    let row = min(u32(order[i]), params.rows - 1u);
    total += x[row * params.cols + col];
  }
  y[index] = total;
}
