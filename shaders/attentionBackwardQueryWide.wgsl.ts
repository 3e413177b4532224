/** Second step of attention's gradient for heads too wide for one lane: dq. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionWide } from "./lib/attentionWide.wgsl.ts";
import type { AttentionWideOptions } from "./lib/attentionWide.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * p = exp(scale · q · kᵀ − lse), dscore = p · (g · vᵀ − delta), dq = scale · dscore · k. One
 * workgroup takes one query: a lane has one key of each 64, then adds up its own columns.
 */
export const attentionBackwardQueryWide = ({
  headSize,
  dropout,
  isHalf,
}: AttentionWideOptions): string => wgsl`
${enableHalf(isHalf)}
${attentionWide({ headSize, isHalf })}
${attentionLayout({ dropout })}
@group(0) @binding(0) var<storage, read> g: array<Element>;
@group(0) @binding(1) var<storage, read> qkv: array<Element>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;
#if ${dropout}
@group(0) @binding(5) var<uniform> random_key: vec4u;
@group(0) @binding(6) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(5) var<uniform> params: Params;
#endif
var<workgroup> dscores: array<f32, WORKGROUP>; // of this turn's keys

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
  let g_at = head.y + query * head.y_pitch;
  let row_lse = lse[head.lse + query];
  let row_delta = delta[head.lse + query];
  var dq: array<f32, LANE_COLS>;
  for (var first = 0u; first < params.tokens; first += WORKGROUP) {
    let key = first + lane;
    let token = min(key, last) * head.pitch;
    var score = 0.0;
    var slope = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      score = fma(f32(qkv[q + d]), f32(qkv[head.k + token + d]), score);
      slope = fma(f32(g[g_at + d]), f32(qkv[head.v + token + d]), slope);
    }
#if ${dropout}
    let stays = extractBits(kept_keys(head.lse + query, key / 4u), key % 4u, 1u) == 1u;
    slope *= select(0.0, params.kept_scale, stays);
#endif
    workgroupBarrier(); // the last turn's have been read
    dscores[lane] = exp(score * params.scale - row_lse) * (slope - row_delta);
    workgroupBarrier();
    for (var c = 0u; c < LANE_COLS; c++) {
      let k = head.k + first * head.pitch + column(c, lane);
      for (var i = 0u; i < min(WORKGROUP, params.tokens - first); i++) {
        dq[c] = fma(dscores[i], f32(qkv[k + i * head.pitch]), dq[c]);
      }
    }
  }
  for (var c = 0u; c < LANE_COLS; c++) {
    if (c * WORKGROUP + lane < HEAD_SIZE) {
      dqkv[q + column(c, lane)] = dq[c] * params.scale;
    }
  }
}
`;
