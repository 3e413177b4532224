// layernorm y [4, 7]; written by npm run shaders
enable subgroups;
const SUBGROUPS: u32 = 8u;
const ROWS_AT_ONCE: u32 = 2u;
const PACK_WIDTH: u32 = 1u;

alias Pack = f32;
fn pack_sum(value: Pack) -> f32 {
  return value;
}

const ROW_LANES: u32 = 8u;
const LOWEST: f32 = -3.4028234e38;

fn row_sum(value: f32, lane: u32) -> f32 {
  return subgroupAdd(value);
}
fn row_max(value: f32, lane: u32) -> f32 {
  return subgroupMax(value);
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  rows: u32,
  row_packs: u32,
  eps: f32,

}
@group(0) @binding(0) var<storage, read> x: array<Pack>;
@group(0) @binding(1) var<storage, read> weight: array<Pack>;
@group(0) @binding(2) var<storage, read> bias: array<Pack>;
@group(0) @binding(3) var<storage, read_write> y: array<Pack>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

fn finish(at: u32, value: Pack) {
  y[at] = value;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let first = (flat_workgroup(wid, groups) * SUBGROUPS + lid.x / ROW_LANES) * ROWS_AT_ONCE;
  let cols = f32(params.row_packs * PACK_WIDTH);
  var base: array<u32, ROWS_AT_ONCE>;
  var origin: array<Pack, ROWS_AT_ONCE>;
  var total: array<Pack, ROWS_AT_ONCE>;
  var drift: array<Pack, ROWS_AT_ONCE>;
  var squares: array<Pack, ROWS_AT_ONCE>;
  var centre: array<f32, ROWS_AT_ONCE>;
  var scale: array<f32, ROWS_AT_ONCE>;
  for (var r = 0u; r < ROWS_AT_ONCE; r++) {
    base[r] = min(first + r, params.rows - 1u) * params.row_packs; // surplus rows redo the last
    origin[r] = x[base[r] + min(lane, params.row_packs - 1u)];
    total[r] = select(Pack(0.0), origin[r], lane < params.row_packs);
    drift[r] = Pack(0.0);
    squares[r] = Pack(0.0);
  }
  var count = select(0.0, 1.0, lane < params.row_packs);
  for (var c = lane + ROW_LANES; c < params.row_packs; c += ROW_LANES) {
    count += 1.0;
    let share = 1.0 / count;
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      let value = x[base[r] + c];
      total[r] += value;
      let gap = value - origin[r];
      let before = gap - drift[r];
      drift[r] += before * share;
      squares[r] += before * (gap - drift[r]);
    }
  }
  for (var r = 0u; r < ROWS_AT_ONCE; r++) {
    centre[r] = row_sum(pack_sum(total[r]), lane) / cols;
    let apart = origin[r] - Pack(centre[r]) + drift[r]; // in this order: large values cancel exactly
    let spread = squares[r] + count * apart * apart;
    scale[r] = 1.0 / sqrt(row_sum(pack_sum(spread), lane) / cols + params.eps);
    if (lane == 0u && first + r < params.rows) {
      mean[first + r] = centre[r];
      rstd[first + r] = scale[r];
    }
  }
  for (var c = lane; c < params.row_packs; c += ROW_LANES) {
    let slope = weight[c];
    let shift = bias[c];
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      if (first + r < params.rows) {
        let normal = (x[base[r] + c] - Pack(centre[r])) * scale[r];
        finish(base[r] + c, normal * slope + shift);
      }
    }
  }
}
