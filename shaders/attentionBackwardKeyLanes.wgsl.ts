/** Third step of attention's gradient for software adapters: dk and dv. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionLanes } from "./lib/attentionLanes.wgsl.ts";
import type { AttentionLanesOptions } from "./lib/attentionLanes.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * With p and dscore as in attentionBackwardQueryLanes: dk = scale · dscoreᵀ · q, dv = pᵀ · g. One
 * workgroup, a subgroup, takes TOKENS keys of one head; queries and cotangents pass by.
 */
export const attentionBackwardKeyLanes = (options: AttentionLanesOptions): string => wgsl`
${enableHalf(options.isHalf)}
enable subgroups;
${attentionLanes(options)}
${attentionLayout(options)}
@group(0) @binding(0) var<storage, read> g: array<Element>;
@group(0) @binding(1) var<storage, read> qkv: array<Element>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;
#if ${options.dropout}
@group(0) @binding(5) var<uniform> random_key: vec4u;
@group(0) @binding(6) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(5) var<uniform> params: Params;
#endif

fn qkv_row(start: u32, lane: u32) -> Row {
  var row: Row;
  for (var i = 0u; i < ROW_LOADS; i++) {
    row[i] = f32(qkv[start + min(i * SUBGROUP + lane, HEAD_SIZE - 1u)]);
  }
  return row;
}

fn g_row(start: u32, lane: u32) -> Row {
  var row: Row;
  for (var i = 0u; i < ROW_LOADS; i++) {
    row[i] = f32(g[start + min(i * SUBGROUP + lane, HEAD_SIZE - 1u)]);
  }
  return row;
}

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let blocks = (params.tokens + TOKENS - 1u) / TOKENS;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let first = head.block * TOKENS + lane;
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  var keys: Vectors;
  var values: Vectors;
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let start = min(first + t * SUBGROUP, last) * head.pitch;
    for (var d = 0u; d < params.head_size; d++) {
      keys[t][d] = f32(qkv[head.k + start + d]) * params.scale;
      values[t][d] = f32(qkv[head.v + start + d]);
    }
  }
  var dk = Vectors();
  var dv = Vectors();
#if ${options.dropout}
  var kept: array<u32, LANE_TOKENS>; // of 4 queries in turn: lane l has query l % 4 and the keys of 4 lanes
#endif
  for (var query = 0u; query <= last; query++) {
#if ${options.dropout}
    if (query % 4u == 0u) {
      for (var t = 0u; t < LANE_TOKENS; t++) {
        let row = head.lse + min(query + lane % 4u, last);
        kept[t] = kept_keys(row, (first + t * SUBGROUP) / 4u);
      }
    }
    let drawer = lane - lane % 4u + query % 4u;
#endif
    var q = qkv_row(head.q + query * head.pitch, lane);
    var cotangent = g_row(head.y + query * head.y_pitch, lane);
    let query_lse = lse[head.lse + query];
    let query_delta = delta[head.lse + query];
    let score = dots(&keys, &q);
    let slope = dots(&values, &cotangent);
    var p: PerToken;
    var dscore: PerToken;
    for (var t = 0u; t < LANE_TOKENS; t++) {
      p[t] = exp(score[t] - query_lse);
#if ${options.dropout}
      let stays = extractBits(subgroupShuffle(kept[t], drawer), lane % 4u, 1u) == 1u;
      let factor = select(0.0, params.kept_scale, stays);
      dscore[t] = p[t] * (factor * slope[t] - query_delta);
      p[t] *= factor;
#else
      dscore[t] = p[t] * (slope[t] - query_delta);
#endif
    }
    add_rows(&dk, &dscore, &q);
    add_rows(&dv, &p, &cotangent);
  }
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let key = first + t * SUBGROUP;
    if (key <= last) {
      for (var d = 0u; d < params.head_size; d++) {
        dqkv[head.k + key * head.pitch + d] = dk[t][d] * params.scale;
        dqkv[head.v + key * head.pitch + d] = dv[t][d];
      }
    }
  }
}
`;
