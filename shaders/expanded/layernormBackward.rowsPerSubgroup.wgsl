// layernormBackward dx [4, 7]; written by npm run shaders
enable subgroups;
const SUBGROUPS: u32 = 8u;
const ROWS_AT_ONCE: u32 = 4u;
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
  turns: u32,

}
@group(0) @binding(0) var<storage, read> g: array<Pack>;
@group(0) @binding(1) var<storage, read> x: array<Pack>;
@group(0) @binding(2) var<storage, read> weight: array<Pack>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<Pack>;
@group(0) @binding(6) var<storage, read_write> partials: array<Pack>;
@group(0) @binding(7) var<uniform> params: Params;

fn finish(at: u32, value: Pack) {
  dx[at] = value;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let block = flat_workgroup(wid, groups) * SUBGROUPS + lid.x / ROW_LANES;
  let block_rows = params.turns * ROWS_AT_ONCE;
  let is_live = block * block_rows < params.rows;
  let cols = f32(params.row_packs * PACK_WIDTH);
  let partial = 2u * block * params.row_packs;
  for (var turn = 0u; turn < params.turns; turn++) {
    let first = block * block_rows + turn * ROWS_AT_ONCE;
    var base: array<u32, ROWS_AT_ONCE>;
    var centre: array<f32, ROWS_AT_ONCE>;
    var scale: array<f32, ROWS_AT_ONCE>;
    var gw_total: array<Pack, ROWS_AT_ONCE>;
    var dot_total: array<Pack, ROWS_AT_ONCE>;
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      let row = min(first + r, params.rows - 1u); // surplus rows redo the last and store nothing
      base[r] = row * params.row_packs;
      centre[r] = mean[row];
      scale[r] = rstd[row];
      gw_total[r] = Pack(0.0);
      dot_total[r] = Pack(0.0);
    }
    for (var c = lane; c < params.row_packs; c += ROW_LANES) {
      let slope = weight[c];
      for (var r = 0u; r < ROWS_AT_ONCE; r++) {
        let gw = g[base[r] + c] * slope;
        gw_total[r] += gw;
        dot_total[r] += gw * (x[base[r] + c] - Pack(centre[r]));
      }
    }
    var gw_mean: array<f32, ROWS_AT_ONCE>;
    var dot_mean: array<f32, ROWS_AT_ONCE>;
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      gw_mean[r] = row_sum(pack_sum(gw_total[r]), lane) / cols;
      dot_mean[r] = row_sum(pack_sum(dot_total[r]), lane) * scale[r] / cols;
    }
    for (var c = lane; is_live && c < params.row_packs; c += ROW_LANES) {
      let slope = weight[c];
      var dweight = Pack(0.0);
      var dbias = Pack(0.0);
      if (turn > 0u) {
        dweight = partials[partial + c];
        dbias = partials[partial + params.row_packs + c];
      }
      for (var r = 0u; r < ROWS_AT_ONCE; r++) {
        if (first + r < params.rows) {
          let cotangent = g[base[r] + c];
          let normal = (x[base[r] + c] - Pack(centre[r])) * scale[r];
          dweight += cotangent * normal;
          dbias += cotangent;
          let gw = cotangent * slope;
          finish(base[r] + c, (gw - Pack(gw_mean[r]) - normal * dot_mean[r]) * scale[r]);
        }
      }
      partials[partial + c] = dweight;
      partials[partial + params.row_packs + c] = dbias;
    }
  }
}
