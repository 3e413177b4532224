/** Third step of attention's gradient, for software adapters: dk and dv, by rows of keys. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionTile } from "./lib/attentionTile.wgsl.ts";
import type { AttentionTileOptions } from "./lib/attentionTile.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * With p and dscore as in attentionBackwardQuery: dk = scale · dscoreᵀ · q, dv = pᵀ · g. One
 * workgroup, a subgroup, takes ROWS keys of one head and walks the queries in tiles of COLS: a lane
 * holds 8 queries for all rows, then its columns of dk and dv for all rows.
 */
export const attentionBackwardKey = (options: AttentionTileOptions): string => wgsl`
enable subgroups;
${attentionTile(options)}
${attentionLayout}
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let blocks = (params.tokens + ROWS - 1u) / ROWS;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let first_row = head.block * ROWS;
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  var k_at: array<u32, ROW_GROUPS>;
  var v_at: array<u32, ROW_GROUPS>;
  for (var group = 0u; group < ROW_GROUPS; group++) {
    let row = min(first_row + group * SUBGROUP + lane, last);
    k_at[group] = head.k + row * head.pitch;
    v_at[group] = head.v + row * head.pitch;
  }
  var dims: array<u32, LANE_DIMS>;
  for (var d = 0u; d < LANE_DIMS; d++) {
    dims[d] = min(d * SUBGROUP + lane, HEAD_SIZE - 1u);
  }
  var dk: Result;
  var dv: Result;
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var q_at: array<u32, LANE_COLS>;
    var g_at: array<u32, LANE_COLS>;
    var col_lse: PerCol;
    var col_delta: PerCol;
    for (var j = 0u; j < LANE_COLS; j++) {
      let token = min(first_col + j * SUBGROUP + lane, last);
      q_at[j] = head.q + token * head.pitch;
      g_at[j] = head.y + token * head.y_pitch;
      col_lse[j] = lse[head.lse + token];
      col_delta[j] = delta[head.lse + token];
    }
    var score = Tile();
    var slope = Tile();
    for (var c = 0u; c < params.head_size; c++) {
      var queries: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        queries[j] = qkv[q_at[j] + c];
      }
      var key: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        key[group] = qkv[k_at[group] + c];
      }
      add_products(&score, &key, &queries);
    }
    for (var c = 0u; c < params.head_size; c++) {
      var cotangents: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        cotangents[j] = g[g_at[j] + c];
      }
      var weight: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        weight[group] = qkv[v_at[group] + c];
      }
      add_products(&slope, &weight, &cotangents);
    }
    var p: array<PerRow, LANE_COLS>; // of this lane's queries
    var dscore: array<PerRow, LANE_COLS>;
    for (var r = 0u; r < ROWS; r++) {
      for (var j = 0u; j < LANE_COLS; j++) {
        let weight = exp(fma(score[r][j], params.scale, -col_lse[j]));
        p[j][r] = weight;
        dscore[j][r] = weight * (slope[r][j] - col_delta[j]);
      }
    }
    // The bounds are not constant, so that the loops stay loops: their bodies are large.
    let cols = min(COLS, params.tokens - first_col);
    for (var j = 0u; j * SUBGROUP < cols; j++) {
      var my_p: PerRow;
      var my_dscore: PerRow;
      for (var r = 0u; r < ROWS; r++) {
        my_p[r] = p[j][r];
        my_dscore[r] = dscore[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let token = first_col + j * SUBGROUP + i;
        var query: PerDim;
        var cotangent: PerDim;
        for (var d = 0u; d < LANE_DIMS; d++) {
          query[d] = qkv[head.q + token * head.pitch + dims[d]];
          cotangent[d] = g[head.y + token * head.y_pitch + dims[d]];
        }
        add_weighted(&dv, &my_p, i, &cotangent);
        add_weighted(&dk, &my_dscore, i, &query);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var d = 0u; d < LANE_DIMS; d++) {
      if (first_row + r <= last && d * SUBGROUP + lane < HEAD_SIZE) {
        let at = (first_row + r) * head.pitch + dims[d];
        dqkv[head.k + at] = dk[r][d] * params.scale;
        dqkv[head.v + at] = dv[r][d];
      }
    }
  }
}
`;
