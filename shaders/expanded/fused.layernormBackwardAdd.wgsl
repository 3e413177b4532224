// layernormBackward dx [6, 8] + add; written by npm run shaders
enable subgroups;

const ROWS_PER_WORKGROUP: u32 = 8u;
const COLS: f32 = 8;
const ROW_PACKS: u32 = 8u;
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
  return true;
}

struct Params {
  rows: u32,
  rows_each: u32,

}
@group(0) @binding(0) var<storage, read> g: array<Pack>;
@group(0) @binding(1) var<storage, read> x: array<Pack>;
@group(0) @binding(2) var<storage, read> weight: array<Pack>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<Value>;
@group(0) @binding(6) var<storage, read_write> partials: array<Pack>;
@group(0) @binding(8) var<uniform> params: Params;

alias Value = f32;
fn add_stage(a: Value, b: Value) -> Value {
  return a + b;
}
@group(0) @binding(7) var<storage, read> operand0_0: array<Value>;
fn finish(at: u32, value0: Value) {
  let value1 = add_stage(operand0_0[at], value0);
  dx[at] = value1;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let group = flat_workgroup(wid, groups);
  let member = lid.x / ROW_LANES;
  let first = (group * ROWS_PER_WORKGROUP + member) * params.rows_each;
  var scales: array<Pack, LANE_PACKS>;
  var dweight: array<Pack, LANE_PACKS>;
  var dbias: array<Pack, LANE_PACKS>;
  for (var k = 0u; k < LANE_PACKS; k++) {
    scales[k] = select(Pack(0.0), weight[column(k, lane)], inside(k, lane));
    dweight[k] = Pack(0.0);
    dbias[k] = Pack(0.0);
  }
  for (var step = 0u; step < params.rows_each; step++) {
    let wanted = first + step;
    let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
    let live = select(0.0, 1.0, wanted < params.rows);
    let base = row * ROW_PACKS;
    let centre = mean[row];
    let scale = rstd[row];
    var gw: array<Pack, LANE_PACKS>;
    var normal: array<Pack, LANE_PACKS>; // x̂
    var gw_total = Pack(0.0);
    var dot_total = Pack(0.0);
    for (var k = 0u; k < LANE_PACKS; k++) {
      let slope = g[base + column(k, lane)];
      normal[k] = (x[base + column(k, lane)] - Pack(centre)) * scale;
      gw[k] = slope * scales[k];
      gw_total += gw[k];
      dot_total += gw[k] * normal[k];
      dweight[k] += slope * normal[k] * live;
      dbias[k] += slope * live;
    }
    let gw_mean = row_sum(pack_sum(gw_total), lane) / COLS;
    let dot_mean = row_sum(pack_sum(dot_total), lane) / COLS;
    if (wanted < params.rows) {
      for (var k = 0u; k < LANE_PACKS; k++) {
        if (inside(k, lane)) {
          let slope = (gw[k] - Pack(gw_mean) - normal[k] * dot_mean) * scale;
          finish(base + column(k, lane), slope);
        }
      }
    }
  }

  let block = group * ROWS_PER_WORKGROUP + member;
  if (first < params.rows) {
    for (var k = 0u; k < LANE_PACKS; k++) {
      if (inside(k, lane)) {
        partials[2u * block * ROW_PACKS + column(k, lane)] = dweight[k];
        partials[(2u * block + 1u) * ROW_PACKS + column(k, lane)] = dbias[k];
      }
    }
  }

}
