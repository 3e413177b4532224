/** Third step of attention's gradient, for software adapters: dk and dv, by rows of keys. */
import type { AttentionBroadcastOptions } from "./attentionBroadcast.wgsl.ts";
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * With p and dscore as in attentionBackwardQuery: dk = scale · dscoreᵀ · q, dv = pᵀ · g. One
 * workgroup, a subgroup, takes ROWS keys of one head and walks the queries in tiles of COLS: a lane
 * holds 8 queries for all rows, then its columns of dk and dv for all rows.
 */
export const attentionBackwardKey = ({
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
const LANE_DIMS: u32 = ${Math.ceil(headSize / subgroup)}u; // columns of dk and dv that a lane adds up
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
  var dk: array<array<f32, LANE_DIMS>, ROWS>;
  var dv: array<array<f32, LANE_DIMS>, ROWS>;
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var q_at: array<u32, LANE_COLS>;
    var g_at: array<u32, LANE_COLS>;
    var col_lse: array<f32, LANE_COLS>;
    var col_delta: array<f32, LANE_COLS>;
    for (var j = 0u; j < LANE_COLS; j++) {
      let token = min(first_col + j * SUBGROUP + lane, last);
      q_at[j] = head.q + token * head.pitch;
      g_at[j] = head.y + token * head.y_pitch;
      col_lse[j] = lse[head.lse + token];
      col_delta[j] = delta[head.lse + token];
    }
    var score = array<array<f32, LANE_COLS>, ROWS>();
    var slope = array<array<f32, LANE_COLS>, ROWS>();
    for (var c = 0u; c < params.head_size; c++) {
      var queries: array<f32, LANE_COLS>;
      for (var j = 0u; j < LANE_COLS; j++) {
        queries[j] = qkv[q_at[j] + c];
      }
      for (var group = 0u; group < ROW_GROUPS; group++) {
        let key = qkv[k_at[group] + c];
        for (var i = 0u; i < SUBGROUP; i++) {
          let r = group * SUBGROUP + i;
          let value = subgroupShuffle(key, i);
          for (var j = 0u; j < LANE_COLS; j++) {
            score[r][j] = fma(value, queries[j], score[r][j]);
          }
        }
      }
    }
    for (var c = 0u; c < params.head_size; c++) {
      var cotangents: array<f32, LANE_COLS>;
      for (var j = 0u; j < LANE_COLS; j++) {
        cotangents[j] = g[g_at[j] + c];
      }
      for (var group = 0u; group < ROW_GROUPS; group++) {
        let weight = qkv[v_at[group] + c];
        for (var i = 0u; i < SUBGROUP; i++) {
          let r = group * SUBGROUP + i;
          let value = subgroupShuffle(weight, i);
          for (var j = 0u; j < LANE_COLS; j++) {
            slope[r][j] = fma(value, cotangents[j], slope[r][j]);
          }
        }
      }
    }
    var p: array<array<f32, ROWS>, LANE_COLS>; // of this lane's queries
    var dscore: array<array<f32, ROWS>, LANE_COLS>;
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
      var my_p: array<f32, ROWS>;
      var my_dscore: array<f32, ROWS>;
      for (var r = 0u; r < ROWS; r++) {
        my_p[r] = p[j][r];
        my_dscore[r] = dscore[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let token = first_col + j * SUBGROUP + i;
        var query: array<f32, LANE_DIMS>;
        var cotangent: array<f32, LANE_DIMS>;
        for (var d = 0u; d < LANE_DIMS; d++) {
          query[d] = qkv[head.q + token * head.pitch + dims[d]];
          cotangent[d] = g[head.y + token * head.y_pitch + dims[d]];
        }
        for (var r = 0u; r < ROWS; r++) {
          let row_p = subgroupShuffle(my_p[r], i);
          let row_dscore = subgroupShuffle(my_dscore[r], i);
          for (var d = 0u; d < LANE_DIMS; d++) {
            dv[r][d] = fma(row_p, cotangent[d], dv[r][d]);
            dk[r][d] = fma(row_dscore, query[d], dk[r][d]);
          }
        }
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
