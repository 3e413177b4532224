/** Dropout. y = x / (1 − rate) where the element's random bits reach the threshold, else 0. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { element, enableHalf } from "./lib/half.wgsl.ts";
import { philox } from "./lib/philox.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link dropout}. */
export interface DropoutOptions {
  readonly workgroup: number;
  /** The size is a multiple of 4: one load and one store for each block of random words. */
  readonly isWhole: boolean;
  /** x and y are stored as f16. */
  readonly isHalf: boolean;
}

/** One invocation = the four elements of one block of random words. x, y: [size]. */
export const dropout = ({ workgroup, isWhole, isHalf }: DropoutOptions): string => wgsl`
${enableHalf(isHalf)}
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
${philox}
${element(isHalf)}
struct Params {
  size: u32,
  stream: u32,
  threshold: u32, // rate · 2^32
  scale: f32, // 1 / (1 − rate)
}
#if ${isWhole}
@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<uniform> key: vec4u;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;
#else
@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<uniform> key: vec4u;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;
#endif
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let block = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (block * 4u >= params.size) {
    return;
  }
  let bits = random_bits(key, params.stream, block);
  let factor = select(vec4f(0.0), vec4f(params.scale), bits >= vec4u(params.threshold));
#if ${isWhole}
  y[block] = Quad(vec4f(x[block]) * factor);
#else
  for (var k = 0u; k < 4u && block * 4u + k < params.size; k++) {
    y[block * 4u + k] = Element(f32(x[block * 4u + k]) * factor[k]);
  }
#endif
}
`;
