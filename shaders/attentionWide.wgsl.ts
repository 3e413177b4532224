/** Attention for heads too wide for one lane: a workgroup shares a query's keys and columns. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionWide as wide } from "./lib/attentionWide.wgsl.ts";
import type { AttentionWideOptions } from "./lib/attentionWide.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * y = softmax(scale · q · kᵀ) · v, lse = log Σ exp(scale · q · kᵀ). One workgroup takes one query
 * and walks the keys with an online softmax: a lane weighs one key of each 64, then adds up its
 * own columns of their values.
 */
export const attentionWide = ({ headSize, dropout, isHalf }: AttentionWideOptions): string => wgsl`
${enableHalf(isHalf)}
${wide({ headSize, isHalf })}
${rowReduce({ lanes: 64, subgroup: false })}
${attentionLayout({ dropout })}
@group(0) @binding(0) var<storage, read> qkv: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
#if ${dropout}
@group(0) @binding(3) var<uniform> random_key: vec4u;
@group(0) @binding(4) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(3) var<uniform> params: Params;
#endif
var<workgroup> weights: array<f32, WORKGROUP>; // of this turn's keys

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x;
  let head = find_head(flat_workgroup(wid, groups), params.queries);
  if (!head.exists) {
    return;
  }
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  let query = head.block;
  let q = head.q + query * head.pitch;
  var largest = LOWEST;
  var total = 0.0;
  var sums: array<f32, LANE_COLS>;
  for (var first = 0u; first < params.tokens; first += WORKGROUP) {
    let key = first + lane;
    let k = head.k + min(key, last) * head.pitch;
    var score = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      score = fma(f32(qkv[q + d]), f32(qkv[k + d]), score);
    }
    score *= params.scale;
    // A token past the end repeats the last: no new maximum. All lanes have read weights by then.
    let top = max(largest, row_max(score, lane));
    let weight = select(0.0, exp(score - top), key <= last);
    let shrink = exp(largest - top);
    largest = top;
    total = fma(total, shrink, row_sum(weight, lane));
#if ${dropout}
    let stays = extractBits(kept_keys(head.lse + query, key / 4u), key % 4u, 1u) == 1u;
    weights[lane] = select(0.0, weight, stays);
#else
    weights[lane] = weight;
#endif
    workgroupBarrier();
    for (var c = 0u; c < LANE_COLS; c++) {
      let v = head.v + first * head.pitch + column(c, lane);
      var added = 0.0;
      for (var i = 0u; i < min(WORKGROUP, params.tokens - first); i++) {
        added = fma(weights[i], f32(qkv[v + i * head.pitch]), added);
      }
      sums[c] = fma(sums[c], shrink, added);
    }
  }
  for (var c = 0u; c < LANE_COLS; c++) {
    if (c * WORKGROUP + lane < HEAD_SIZE) {
#if ${dropout}
      let sum = sums[c] * params.kept_scale;
#else
      let sum = sums[c];
#endif
      y[head.y + query * head.y_pitch + column(c, lane)] = Element(sum / total);
    }
  }
  if (lane == 0u) {
    lse[head.lse + query] = largest + log(total);
  }
}
`;
