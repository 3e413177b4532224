/** Attention for software adapters: a lane keeps its queries in registers, the keys pass by. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionLanes as lanes, rowsOf } from "./lib/attentionLanes.wgsl.ts";
import type { AttentionLanesOptions } from "./lib/attentionLanes.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * y = softmax(scale · q · kᵀ) · v, lse = log Σ exp(scale · q · kᵀ). One workgroup, a subgroup,
 * takes TOKENS queries of one head. The keys pass by once, without taking off a query's largest
 * score first; should one turn out to be far from 0, they pass by again with it taken off.
 */
export const attentionLanes = (options: AttentionLanesOptions): string => wgsl`
${enableHalf(options.isHalf)}
enable subgroups;
diagnostic(off, subgroup_uniformity); // the outer loop ends by subgroupAny, for all lanes at once
${lanes(options)}
const LOWEST: f32 = -3.4028234e38;
const FAR: f32 = 24.0; // exp(±24) is far from f32's ends, and as exact as a score of 24 is
${attentionLayout(options)}
@group(0) @binding(0) var<storage, read> qkv: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
#if ${options.dropout}
@group(0) @binding(3) var<uniform> random_key: vec4u;
@group(0) @binding(4) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(3) var<uniform> params: Params;
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
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let start = head.q + min(first + t * SUBGROUP, last_query) * head.pitch;
    for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
      set_pack(&queries, t, d, Pack(qkv[(start + d) / PACK_WIDTH]) * params.scale);
    }
  }
  var total: PerToken;
  var sums: Vectors;
  var shift = PerToken();
#if ${options.dropout}
  var kept: array<u32, LANE_TOKENS>; // one bit for each of 4 keys
#endif
  loop {
    var largest: PerToken;
    for (var t = 0u; t < LANE_TOKENS; t++) {
      largest[t] = LOWEST;
    }
    total = PerToken();
    sums = Vectors();
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
      var weights = dots(&queries, &k);
      for (var row = 0u; row < ROWS; row++) {
        for (var t = 0u; t < LANE_TOKENS; t++) {
          largest[t] = max(largest[t], weights[row][t]);
          weights[row][t] = select(0.0, exp(weights[row][t] - shift[t]), key + row <= last);
          total[t] += weights[row][t];
#if ${options.dropout}
          weights[row][t] = select(0.0, weights[row][t], (kept[t] & 1u) == 1u);
          kept[t] >>= 1u;
#endif
        }
      }
      add_rows(&sums, &weights, &v);
    }
    var is_far = false;
    for (var t = 0u; t < LANE_TOKENS; t++) {
      let far = abs(largest[t] - shift[t]) > FAR;
      shift[t] = select(shift[t], largest[t], far);
      is_far |= far;
    }
    if (!subgroupAny(is_far)) {
      break;
    }
  }
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let query = first + t * SUBGROUP;
    if (query <= last_query) {
      let start = head.y + query * head.y_pitch;
#if ${options.dropout}
      let share = params.kept_scale / total[t];
#else
      let share = 1.0 / total[t];
#endif
      for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
        y[(start + d) / PACK_WIDTH] = Stored(pack_of(&sums, t, d) * share);
      }
      lse[head.lse + query] = shift[t] + log(total[t]);
    }
  }
}
`;
