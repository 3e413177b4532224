/** Attention maps, for rollout and pictures. maps[query, key] = softmax(scale · q · kᵀ). */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link attentionMaps}. */
export interface AttentionMapsOptions {
  readonly headSize: number;
}

/** One invocation computes one row of maps: [batch, heads, tokens, tokens]. */
export const attentionMaps = ({ headSize }: AttentionMapsOptions): string => wgsl`
const HEAD_SIZE: u32 = ${headSize}u;
const WORKGROUP: u32 = 64u;
const LOWEST: f32 = -3.4028234e38;
${attentionLayout({ dropout: false })}
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> maps: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let blocks = (params.tokens + WORKGROUP - 1u) / WORKGROUP;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  let row = head.block * WORKGROUP + lid.x;
  if (!head.exists || row >= params.tokens) {
    return;
  }
  let q_at = head.q + row * head.pitch;
  let base = (head.lse + row) * params.tokens;
  var largest = LOWEST;
  for (var key = 0u; key < params.tokens; key++) {
    let k_at = head.k + key * head.pitch;
    var dot = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      dot = fma(qkv[q_at + d], qkv[k_at + d], dot);
    }
    maps[base + key] = dot * params.scale;
    largest = max(largest, dot * params.scale);
  }
  var total = 0.0;
  for (var key = 0u; key < params.tokens; key++) {
    let weight = exp(maps[base + key] - largest);
    maps[base + key] = weight;
    total += weight;
  }
  for (var key = 0u; key < params.tokens; key++) {
    maps[base + key] /= total;
  }
}
`;
