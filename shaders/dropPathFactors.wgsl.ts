/** Which samples stochastic depth keeps: a factor for each, 1 / (1 − rate) or 0. */
import type { ElementOptions } from "./lib/grid.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { philox } from "./lib/philox.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** One invocation = one sample, by random word n of the stream. factors: [N]. */
export const dropPathFactors = ({ workgroup }: ElementOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
${philox}
struct Params {
  samples: u32,
  stream: u32,
  threshold: u32, // rate · 2^32
  scale: f32, // 1 / (1 − rate)
}
@group(0) @binding(0) var<uniform> key: vec4u;
@group(0) @binding(1) var<storage, read_write> factors: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let sample = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (sample < params.samples) {
    let bits = random_bits(key, params.stream, sample / 4u)[sample % 4u];
    factors[sample] = select(0.0, params.scale, bits >= params.threshold);
  }
}
`;
