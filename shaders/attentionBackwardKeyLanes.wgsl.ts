/** Third step of attention's gradient for software adapters: dk and dv. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionLanes, rowsOf } from "./lib/attentionLanes.wgsl.ts";
import type { AttentionLanesOptions } from "./lib/attentionLanes.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** p and dscore of one of the queries that pass by. */
const weigh = (row: number, dropout: boolean): string => wgsl`
    let lse${row} = subgroupBroadcast(own_lse, ${row}u);
    let delta${row} = subgroupBroadcast(own_delta, ${row}u);
#if ${dropout}
    let drawer${row} = lane - lane % 4u + (query + ${row}u) % 4u;
#endif
    for (var t = 0u; t < LANE_TOKENS; t++) {
      let weight = select(0.0, exp(score[${row}][t] - lse${row}), query + ${row}u <= last_query);
#if ${dropout}
      let stays = extractBits(subgroupShuffle(kept[t], drawer${row}), lane % 4u, 1u) == 1u;
      let factor = select(0.0, params.kept_scale, stays);
      dscore[${row}][t] = weight * (factor * slope[${row}][t] - delta${row});
      p[${row}][t] = weight * factor;
#else
      dscore[${row}][t] = weight * (slope[${row}][t] - delta${row});
      p[${row}][t] = weight;
#endif
    }`;

/**
 * With p and dscore as in attentionBackwardQueryLanes: dk = scale · dscoreᵀ · q, dv = pᵀ · g. One
 * workgroup, a subgroup, takes TOKENS keys of one head; queries and cotangents pass by.
 */
export const attentionBackwardKeyLanes = (options: AttentionLanesOptions): string => wgsl`
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
${rowsOf("g")}

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
  let last_query = params.queries - 1u;
  var keys: Vectors;
  var values: Vectors;
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let start = min(first + t * SUBGROUP, last) * head.pitch;
    for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
      set_pack(&keys, t, d, Pack(qkv[(head.k + start + d) / PACK_WIDTH]) * params.scale);
      set_pack(&values, t, d, Pack(qkv[(head.v + start + d) / PACK_WIDTH]));
    }
  }
  var dk = Vectors();
  var dv = Vectors();
#if ${options.dropout}
  var kept: array<u32, LANE_TOKENS>; // of 4 queries in turn: lane l has query l % 4 and the keys of 4 lanes
#endif
  for (var query = 0u; query <= last_query; query += ROWS) {
#if ${options.dropout}
    if (query % 4u == 0u) {
      for (var t = 0u; t < LANE_TOKENS; t++) {
        let row = head.lse + min(query + lane % 4u, last_query);
        kept[t] = kept_keys(row, (first + t * SUBGROUP) / 4u);
      }
    }
#endif
    let second = u32(query < last_query); // the last passes by twice, once without weight
    var q = qkv_rows(head.q + query * head.pitch, second * head.pitch, lane);
    var cotangent = g_rows(head.y + query * head.y_pitch, second * head.y_pitch, lane);
    let own = head.lse + query + min(lane % ROWS, second); // lane 1 reads the second's
    let own_lse = lse[own];
    let own_delta = delta[own];
    let score = dots(&keys, &q);
    let slope = dots(&values, &cotangent);
    var p: PerRow;
    var dscore: PerRow;
${unroll(options.rows, (row) => weigh(row, options.dropout))}
    add_rows(&dk, &dscore, &q);
    add_rows(&dv, &p, &cotangent);
  }
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let key = first + t * SUBGROUP;
    if (key <= last) {
      let start = key * head.pitch;
      for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
        dqkv[(head.k + start + d) / PACK_WIDTH] = pack_of(&dk, t, d) * params.scale;
        dqkv[(head.v + start + d) / PACK_WIDTH] = pack_of(&dv, t, d);
        if (key > last_query) {
          dqkv[(head.q + start + d) / PACK_WIDTH] = Pack(); // of no query
        }
      }
    }
  }
}
`;
