/** Attention for software adapters: tiles of scores in registers, rows passed around by shuffles. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionTile } from "./lib/attentionTile.wgsl.ts";
import type { AttentionTileOptions } from "./lib/attentionTile.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * y = softmax(scale · q · kᵀ) · v, lse = log Σ exp(scale · q · kᵀ). One workgroup, a subgroup,
 * takes ROWS queries of one head and walks the keys in tiles of COLS with an online softmax: a lane
 * holds the scores of 8 keys for all rows, then 1/SUBGROUP of the output columns for all rows.
 */
export const attentionBroadcast = (options: AttentionTileOptions): string => wgsl`
enable subgroups;
${attentionTile(options)}
const LOWEST: f32 = -3.4028234e38;
${attentionLayout}
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

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
  for (var group = 0u; group < ROW_GROUPS; group++) {
    q_at[group] = head.q + min(first_row + group * SUBGROUP + lane, last) * head.pitch;
  }
  var dims: array<u32, LANE_DIMS>;
  for (var i = 0u; i < LANE_DIMS; i++) {
    dims[i] = min(i * SUBGROUP + lane, HEAD_SIZE - 1u);
  }
  var largest: PerRow;
  var total: PerRow; // of this lane's keys
  var sum: Result;
  for (var r = 0u; r < ROWS; r++) {
    largest[r] = LOWEST;
  }
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var k_at: array<u32, LANE_COLS>;
    for (var j = 0u; j < LANE_COLS; j++) {
      k_at[j] = head.k + min(first_col + j * SUBGROUP + lane, last) * head.pitch;
    }
    var score = Tile();
    for (var c = 0u; c < params.head_size; c++) {
      var key: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        key[j] = qkv[k_at[j] + c];
      }
      var query: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        query[group] = qkv[q_at[group] + c];
      }
      add_products(&score, &query, &key);
    }
    var weights: array<PerRow, LANE_COLS>; // of this lane's keys
    for (var r = 0u; r < ROWS; r++) {
      var top = LOWEST;
      for (var j = 0u; j < LANE_COLS; j++) {
        score[r][j] *= params.scale;
        top = max(top, score[r][j]); // a token past the end repeats the last: no new maximum
      }
      top = max(subgroupMax(top), largest[r]);
      let shrink = exp(largest[r] - top);
      largest[r] = top;
      total[r] *= shrink;
      for (var j = 0u; j < LANE_COLS; j++) {
        let col = j * SUBGROUP + lane;
        let weight = select(0.0, exp(score[r][j] - top), first_col + col <= last);
        total[r] += weight;
        weights[j][r] = weight;
      }
      for (var i = 0u; i < LANE_DIMS; i++) {
        sum[r][i] *= shrink;
      }
    }
    // The bounds are not constant, so that the loops stay loops: their bodies are large.
    let cols = min(COLS, params.tokens - first_col);
    for (var j = 0u; j * SUBGROUP < cols; j++) {
      var mine: PerRow;
      for (var r = 0u; r < ROWS; r++) {
        mine[r] = weights[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let v_at = head.v + (first_col + j * SUBGROUP + i) * head.pitch;
        var value: PerDim;
        for (var d = 0u; d < LANE_DIMS; d++) {
          value[d] = qkv[v_at + dims[d]];
        }
        add_weighted(&sum, &mine, i, &value);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let row = first_row + r;
    let row_total = subgroupAdd(total[r]);
    if (row <= last) {
      for (var i = 0u; i < LANE_DIMS; i++) {
        if (i * SUBGROUP + lane < HEAD_SIZE) {
          y[head.y + row * head.y_pitch + dims[i]] = sum[r][i] / row_total;
        }
      }
      if (lane == 0u) {
        lse[head.lse + row] = largest[r] + log(row_total);
      }
    }
  }
}
`;
