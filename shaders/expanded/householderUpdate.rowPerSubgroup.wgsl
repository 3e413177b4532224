// householderUpdate; written by npm run shaders
enable subgroups;

const GROUPS: u32 = 8u;
const ROWS: u32 = 4u;
const ROW_LANES: u32 = 8u;

fn row_sums(values: vec4f, lane: u32) -> vec4f {
  return subgroupAdd(values);
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  size: u32,
  column: u32,
}
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read> reflectors: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let size = params.size;
  let first = params.column + 1u;
  let row = first + (flat_workgroup(wid, groups) * GROUPS + lid.x / ROW_LANES) * ROWS;
  let old = (max(params.column, 1u) - 1u) * size;
  let fresh = params.column * size;
  // Rows past the end stand for the last one and store nothing.
  let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(size - 1u));
  let base = rows * size;
  let v_i = vec4f(
    reflectors[old + rows.x],
    reflectors[old + rows.y],
    reflectors[old + rows.z],
    reflectors[old + rows.w],
  );
  let w_i = vec4f(w[rows.x], w[rows.y], w[rows.z], w[rows.w]);
  let stores = vec4u(row, row + 1u, row + 2u, row + 3u) < vec4u(size);
  var sums = vec4f();
  for (var j = first + lane; j < size; j += ROW_LANES) {
    let before = vec4f(a[base.x + j], a[base.y + j], a[base.z + j], a[base.w + j]);
    let after = before - v_i * w[j] - w_i * reflectors[old + j];
    sums += after * reflectors[fresh + j];
    if (stores.x) {
      a[base.x + j] = after.x;
    }
    if (stores.y) {
      a[base.y + j] = after.y;
    }
    if (stores.z) {
      a[base.z + j] = after.z;
    }
    if (stores.w) {
      a[base.w + j] = after.w;
    }
  }
  let totals = row_sums(sums, lane);
  if (lane == 0u) {
    if (stores.x) {
      p[row] = totals.x;
    }
    if (stores.y) {
      p[row + 1u] = totals.y;
    }
    if (stores.z) {
      p[row + 2u] = totals.z;
    }
    if (stores.w) {
      p[row + 3u] = totals.w;
    }
  }
}
