/** Second step of attention's gradient, for software adapters: dq, by rows of queries. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionTile } from "./lib/attentionTile.wgsl.ts";
import type { AttentionTileOptions } from "./lib/attentionTile.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * p = exp(scale · q · kᵀ − lse), dscore = p · (g · vᵀ − delta), dq = scale · dscore · k. One
 * workgroup, a subgroup, takes ROWS queries of one head and walks the keys in tiles of COLS, as the
 * forward kernel does: a lane holds 8 keys for all rows, then its columns of dq for all rows.
 */
export const attentionBackwardQuery = (options: AttentionTileOptions): string => wgsl`
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
  var q_at: array<u32, ROW_GROUPS>;
  var g_at: array<u32, ROW_GROUPS>;
  var row_lse: PerRow;
  var row_delta: PerRow;
  for (var group = 0u; group < ROW_GROUPS; group++) {
    let row = min(first_row + group * SUBGROUP + lane, last);
    q_at[group] = head.q + row * head.pitch;
    g_at[group] = head.y + row * head.y_pitch;
    let lane_lse = lse[head.lse + row];
    let lane_delta = delta[head.lse + row];
    for (var i = 0u; i < SUBGROUP; i++) {
      row_lse[group * SUBGROUP + i] = subgroupShuffle(lane_lse, i);
      row_delta[group * SUBGROUP + i] = subgroupShuffle(lane_delta, i);
    }
  }
  var dims: array<u32, LANE_DIMS>;
  for (var d = 0u; d < LANE_DIMS; d++) {
    dims[d] = min(d * SUBGROUP + lane, HEAD_SIZE - 1u);
  }
  var sum: Result;
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var k_at: array<u32, LANE_COLS>;
    var v_at: array<u32, LANE_COLS>;
    for (var j = 0u; j < LANE_COLS; j++) {
      let token = min(first_col + j * SUBGROUP + lane, last);
      k_at[j] = head.k + token * head.pitch;
      v_at[j] = head.v + token * head.pitch;
    }
    var score = Tile();
    var slope = Tile();
    for (var c = 0u; c < params.head_size; c++) {
      var keys: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        keys[j] = qkv[k_at[j] + c];
      }
      var query: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        query[group] = qkv[q_at[group] + c];
      }
      add_products(&score, &query, &keys);
    }
    for (var c = 0u; c < params.head_size; c++) {
      var values: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        values[j] = qkv[v_at[j] + c];
      }
      var cotangent: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        cotangent[group] = g[g_at[group] + c];
      }
      add_products(&slope, &cotangent, &values);
    }
    var dscore: array<PerRow, LANE_COLS>; // of this lane's keys
    for (var r = 0u; r < ROWS; r++) {
      for (var j = 0u; j < LANE_COLS; j++) {
        let p = exp(fma(score[r][j], params.scale, -row_lse[r]));
        dscore[j][r] = p * (slope[r][j] - row_delta[r]);
      }
    }
    // The bounds are not constant, so that the loops stay loops: their bodies are large.
    let cols = min(COLS, params.tokens - first_col);
    for (var j = 0u; j * SUBGROUP < cols; j++) {
      var mine: PerRow;
      for (var r = 0u; r < ROWS; r++) {
        mine[r] = dscore[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let key_at = head.k + (first_col + j * SUBGROUP + i) * head.pitch;
        var key: PerDim;
        for (var d = 0u; d < LANE_DIMS; d++) {
          key[d] = qkv[key_at + dims[d]];
        }
        add_weighted(&sum, &mine, i, &key);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var d = 0u; d < LANE_DIMS; d++) {
      if (first_row + r <= last && d * SUBGROUP + lane < HEAD_SIZE) {
        dqkv[head.q + (first_row + r) * head.pitch + dims[d]] = sum[r][d] * params.scale;
      }
    }
  }
}
`;
