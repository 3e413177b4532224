/** Second step of attention's gradient, for software adapters: dq, by rows of queries. */
import type { AttentionBroadcastOptions } from "./attentionBroadcast.wgsl.ts";
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * p = exp(scale · q · kᵀ − lse), dscore = p · (g · vᵀ − delta), dq = scale · dscore · k. One
 * workgroup, a subgroup, takes ROWS queries of one head and walks the keys in tiles of COLS, as the
 * forward kernel does: a lane holds 8 keys for all rows, then its columns of dq for all rows.
 */
export const attentionBackwardQuery = ({
  headSize,
  subgroup,
  rowGroups,
}: AttentionBroadcastOptions): string => wgsl`
enable subgroups;
const HEAD_SIZE: u32 = ${headSize}u;
const SUBGROUP: u32 = ${subgroup}u;
const ROW_GROUPS: u32 = ${rowGroups}u;
const ROWS: u32 = SUBGROUP * ROW_GROUPS;
const LANE_COLS: u32 = 8u;
const COLS: u32 = SUBGROUP * LANE_COLS;
const LANE_DIMS: u32 = ${Math.ceil(headSize / subgroup)}u; // columns of dq that a lane adds up
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
  var row_lse: array<f32, ROWS>;
  var row_delta: array<f32, ROWS>;
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
  var sum: array<array<f32, LANE_DIMS>, ROWS>;
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var k_at: array<u32, LANE_COLS>;
    var v_at: array<u32, LANE_COLS>;
    for (var j = 0u; j < LANE_COLS; j++) {
      let token = min(first_col + j * SUBGROUP + lane, last);
      k_at[j] = head.k + token * head.pitch;
      v_at[j] = head.v + token * head.pitch;
    }
    var score = array<array<f32, LANE_COLS>, ROWS>();
    var slope = array<array<f32, LANE_COLS>, ROWS>();
    for (var c = 0u; c < params.head_size; c++) {
      var keys: array<f32, LANE_COLS>;
      for (var j = 0u; j < LANE_COLS; j++) {
        keys[j] = qkv[k_at[j] + c];
      }
      for (var group = 0u; group < ROW_GROUPS; group++) {
        let query = qkv[q_at[group] + c];
        for (var i = 0u; i < SUBGROUP; i++) {
          let r = group * SUBGROUP + i;
          let value = subgroupShuffle(query, i);
          for (var j = 0u; j < LANE_COLS; j++) {
            score[r][j] = fma(value, keys[j], score[r][j]);
          }
        }
      }
    }
    for (var c = 0u; c < params.head_size; c++) {
      var values: array<f32, LANE_COLS>;
      for (var j = 0u; j < LANE_COLS; j++) {
        values[j] = qkv[v_at[j] + c];
      }
      for (var group = 0u; group < ROW_GROUPS; group++) {
        let cotangent = g[g_at[group] + c];
        for (var i = 0u; i < SUBGROUP; i++) {
          let r = group * SUBGROUP + i;
          let value = subgroupShuffle(cotangent, i);
          for (var j = 0u; j < LANE_COLS; j++) {
            slope[r][j] = fma(value, values[j], slope[r][j]);
          }
        }
      }
    }
    var dscore: array<array<f32, ROWS>, LANE_COLS>; // of this lane's keys
    for (var r = 0u; r < ROWS; r++) {
      for (var j = 0u; j < LANE_COLS; j++) {
        let p = exp(fma(score[r][j], params.scale, -row_lse[r]));
        dscore[j][r] = p * (slope[r][j] - row_delta[r]);
      }
    }
    // The bounds are not constant, so that the loops stay loops: their bodies are large.
    let cols = min(COLS, params.tokens - first_col);
    for (var j = 0u; j * SUBGROUP < cols; j++) {
      var mine: array<f32, ROWS>;
      for (var r = 0u; r < ROWS; r++) {
        mine[r] = dscore[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let key_at = head.k + (first_col + j * SUBGROUP + i) * head.pitch;
        var key: array<f32, LANE_DIMS>;
        for (var d = 0u; d < LANE_DIMS; d++) {
          key[d] = qkv[key_at + dims[d]];
        }
        for (var r = 0u; r < ROWS; r++) {
          let value = subgroupShuffle(mine[r], i);
          for (var d = 0u; d < LANE_DIMS; d++) {
            sum[r][d] = fma(value, key[d], sum[r][d]);
          }
        }
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
