/** Second step of attention's gradient for software adapters: dq. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionLanes, rowsOf } from "./lib/attentionLanes.wgsl.ts";
import type { AttentionLanesOptions } from "./lib/attentionLanes.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * p = exp(scale · q · kᵀ − lse), dscore = p · (g · vᵀ − delta), dq = scale · dscore · k. One
 * workgroup, a subgroup, takes TOKENS queries of one head; keys and values pass by.
 */
export const attentionBackwardQueryLanes = (options: AttentionLanesOptions): string => wgsl`
${enableHalf(options.isHalf)}
enable subgroups;
${attentionLanes(options)}
${attentionLayout(options)}
@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> qkv: array<Stored>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<Pack>;
#if ${options.dropout}
@group(0) @binding(5) var<uniform> random_key: vec4u;
@group(0) @binding(6) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(5) var<uniform> params: Params;
#endif

${rowsOf("qkv")}

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let blocks = (params.queries + TOKENS - 1u) / TOKENS;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let first = head.block * TOKENS + lane;
  let last = params.tokens - 1u;
  let last_query = params.queries - 1u; // later ones are read from it
  var queries: Vectors;
  var cotangents: Vectors;
  var row_lse: PerToken;
  var row_delta: PerToken;
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let token = min(first + t * SUBGROUP, last_query);
    for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
      let query = Pack(qkv[(head.q + token * head.pitch + d) / PACK_WIDTH]);
      set_pack(&queries, t, d, query * params.scale);
      set_pack(&cotangents, t, d, Pack(g[(head.y + token * head.y_pitch + d) / PACK_WIDTH]));
    }
    row_lse[t] = lse[head.lse + token];
    row_delta[t] = delta[head.lse + token];
  }
  var dq = Vectors();
#if ${options.dropout}
  var kept: array<u32, LANE_TOKENS>; // one bit for each of 4 keys
#endif
  for (var key = 0u; key <= last; key += ROWS) {
#if ${options.dropout}
    if (key % 4u == 0u) {
      for (var t = 0u; t < LANE_TOKENS; t++) {
        kept[t] = kept_keys(head.lse + min(first + t * SUBGROUP, last_query), key / 4u);
      }
    }
#endif
    let step = select(0u, head.pitch, key < last); // the last passes by twice, once without weight
    var k = qkv_rows(head.k + key * head.pitch, step, lane);
    var v = qkv_rows(head.v + key * head.pitch, step, lane);
    let score = dots(&queries, &k);
    var slope = dots(&cotangents, &v);
    var dscore: PerRow;
    for (var row = 0u; row < ROWS; row++) {
      for (var t = 0u; t < LANE_TOKENS; t++) {
#if ${options.dropout}
        slope[row][t] *= select(0.0, params.kept_scale, (kept[t] & 1u) == 1u);
        kept[t] >>= 1u;
#endif
        let weight = select(0.0, exp(score[row][t] - row_lse[t]), key + row <= last);
        dscore[row][t] = weight * (slope[row][t] - row_delta[t]);
      }
    }
    add_rows(&dq, &dscore, &k);
  }
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let query = first + t * SUBGROUP;
    if (query <= last_query) {
      for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
        dqkv[(head.q + query * head.pitch + d) / PACK_WIDTH] = pack_of(&dq, t, d) * params.scale;
      }
    }
  }
}
`;
