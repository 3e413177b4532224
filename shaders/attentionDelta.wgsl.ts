/** First step of attention's gradient. delta[row] = Σ_d g · y, for each query of each head. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { element, enableHalf, stored } from "./lib/half.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link attentionDelta}. */
export interface AttentionDeltaOptions {
  readonly headSize: number;
  /** Floats of a load; it divides headSize. */
  readonly width: PackWidth;
  /** g and y are stored as f16. */
  readonly isHalf: boolean;
}

/** One invocation adds up one query of one head. g, y: [batch, queries, heads, HEAD_SIZE]. */
export const attentionDelta = ({ headSize, width, isHalf }: AttentionDeltaOptions): string => wgsl`
${enableHalf(isHalf)}
const HEAD_SIZE: u32 = ${headSize}u;
const WORKGROUP: u32 = 64u;
${attentionLayout({ dropout: false })}
${element(isHalf)}
${stored(width)}
${pack(width)}
@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> delta: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let blocks = (params.queries + WORKGROUP - 1u) / WORKGROUP;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  let row = head.block * WORKGROUP + lid.x;
  if (!head.exists || row >= params.queries) {
    return;
  }
  let start = (head.y + row * head.y_pitch) / PACK_WIDTH;
  var dots = Pack();
  for (var at = start; at < start + HEAD_SIZE / PACK_WIDTH; at++) {
    dots = fma(Pack(g[at]), Pack(y[at]), dots);
  }
  delta[head.lse + row] = pack_sum(dots);
}
`;
