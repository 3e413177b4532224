// triangular solve [7, 3]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  size: u32,
  cols: u32,
  first: u32, // index of the triangle's first row in the whole matrix
  is_forward: u32, // 1: from the first row on
  t_first: u32,
  t_row: u32,
  t_col: u32,
  x_first: u32,
  x_row: u32,
}
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> singular: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let column = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (column >= params.cols) {
    return;
  }
  let base = params.x_first + column;
  let last = params.size - 1u;
  for (var turn = 0u; turn < params.size; turn++) {
    let i = select(last - turn, turn, params.is_forward == 1u);
    let line = params.t_first + i * params.t_row;
    var sum = x[base + i * params.x_row];
    for (var before = 0u; before < turn; before++) {
      let j = select(last - before, before, params.is_forward == 1u);
      sum -= t[line + j * params.t_col] * x[base + j * params.x_row];
    }
    let pivot = t[line + i * params.t_col];
    let is_zero = pivot == 0.0;
    x[base + i * params.x_row] = select(sum / select(pivot, 1.0, is_zero), 0.0, is_zero);
    if (is_zero && column == 0u && singular[0] < 0) {
      singular[0] = i32(params.first + i);
    }
  }
}
