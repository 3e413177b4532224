// layernorm y [4, 7]; written by npm run shaders
enable subgroups;

const ROWS_PER_WORKGROUP: u32 = 8u;
const COLS: f32 = 7;
const ROW_PACKS: u32 = 7u;
const LANE_PACKS: u32 = 1u;
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

fn column(k: u32, lane: u32) -> u32 {
  return min(k * ROW_LANES + lane, ROW_PACKS - 1u);
}

fn inside(k: u32, lane: u32) -> bool {
  return k * ROW_LANES + lane < ROW_PACKS;
}

struct Params {
  rows: u32,
  rows_each: u32,
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
  let group = flat_workgroup(wid, groups) * ROWS_PER_WORKGROUP + lid.x / ROW_LANES;
  var scales: array<Pack, LANE_PACKS>;
  var shifts: array<Pack, LANE_PACKS>;
  for (var k = 0u; k < LANE_PACKS; k++) {
    scales[k] = weight[column(k, lane)];
    shifts[k] = bias[column(k, lane)];
  }
  for (var step = 0u; step < params.rows_each; step++) {
    let wanted = group * params.rows_each + step;
    let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
    let base = row * ROW_PACKS;
    var kept: array<Pack, LANE_PACKS>;
    var total = Pack(0.0);
    for (var k = 0u; k < LANE_PACKS; k++) {
      kept[k] = x[base + column(k, lane)];
      total += select(Pack(0.0), kept[k], inside(k, lane));
    }
    let centre = row_sum(pack_sum(total), lane) / COLS;
    var squares = Pack(0.0);
    for (var k = 0u; k < LANE_PACKS; k++) {
      kept[k] -= Pack(centre);
      squares += select(Pack(0.0), kept[k] * kept[k], inside(k, lane));
    }
    let variance = row_sum(pack_sum(squares), lane) / COLS;
    let scale = 1.0 / sqrt(variance + params.eps);
    if (wanted < params.rows) {
      for (var k = 0u; k < LANE_PACKS; k++) {
        if (inside(k, lane)) {
          finish(base + column(k, lane), kept[k] * scale * scales[k] + shifts[k]);
        }
      }
      if (lane == 0u) {
        mean[row] = centre;
        rstd[row] = scale;
      }
    }
  }
}
