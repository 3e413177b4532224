/** Third step of attention's gradient for heads too wide for one lane: dk and dv. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { attentionWide } from "./lib/attentionWide.wgsl.ts";
import type { AttentionWideOptions } from "./lib/attentionWide.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * With p and dscore as in attentionBackwardQueryWide: dk = scale · dscoreᵀ · q, dv = pᵀ · g. One
 * workgroup takes one key: a lane has one query of each 64, then adds up its own columns.
 */
export const attentionBackwardKeyWide = ({
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
var<workgroup> weights: array<f32, WORKGROUP>; // of this turn's queries
var<workgroup> dscores: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x;
  let head = find_head(flat_workgroup(wid, groups), params.tokens);
  if (!head.exists) {
    return;
  }
  let last_query = params.queries - 1u; // later ones are read from it
  let key = head.block;
  let k = head.k + key * head.pitch;
  let v = head.v + key * head.pitch;
  var dk: array<f32, LANE_COLS>;
  var dv: array<f32, LANE_COLS>;
  for (var first = 0u; first < params.queries; first += WORKGROUP) {
    let query = min(first + lane, last_query);
    let q = head.q + query * head.pitch;
    let g_at = head.y + query * head.y_pitch;
    var score = 0.0;
    var slope = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      score = fma(f32(qkv[q + d]), f32(qkv[k + d]), score);
      slope = fma(f32(g[g_at + d]), f32(qkv[v + d]), slope);
    }
    let p = exp(score * params.scale - lse[head.lse + query]);
    workgroupBarrier(); // the last turn's have been read
#if ${dropout}
    let stays = extractBits(kept_keys(head.lse + query, key / 4u), key % 4u, 1u) == 1u;
    let factor = select(0.0, params.kept_scale, stays);
    weights[lane] = p * factor;
    dscores[lane] = p * (factor * slope - delta[head.lse + query]);
#else
    weights[lane] = p;
    dscores[lane] = p * (slope - delta[head.lse + query]);
#endif
    workgroupBarrier();
    for (var c = 0u; c < LANE_COLS; c++) {
      for (var i = 0u; i < min(WORKGROUP, params.queries - first); i++) {
        let token = first + i;
        let q_at = head.q + token * head.pitch + column(c, lane);
        dk[c] = fma(dscores[i], f32(qkv[q_at]), dk[c]);
        dv[c] = fma(weights[i], f32(g[head.y + token * head.y_pitch + column(c, lane)]), dv[c]);
      }
    }
  }
  for (var c = 0u; c < LANE_COLS; c++) {
    if (c * WORKGROUP + lane < HEAD_SIZE) {
      dqkv[k + column(c, lane)] = dk[c] * params.scale;
      dqkv[v + column(c, lane)] = dv[c];
      if (key > last_query) {
        dqkv[head.q + key * head.pitch + column(c, lane)] = 0.0; // of no query
      }
    }
  }
}
`;
