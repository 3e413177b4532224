/** Changes the element type. y[i] = Target(x[i]). */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link cast}. */
export interface CastOptions {
  readonly source: "f32" | "f16" | "i32" | "u32";
  readonly target: "f32" | "f16" | "i32" | "u32";
  /** Elements in a Source and a Target. */
  readonly width: 1 | 4;
  readonly workgroup: number;
}

/**
 * One invocation = one Source; the count is in Sources. As WGSL converts: floats lose their fraction
 * on the way to integers, and are rounded to the nearest f16, ties to even.
 */
export const cast = ({ source, target, width, workgroup }: CastOptions): string => wgsl`
${enableHalf([source, target].includes("f16"))}
alias Source = ${width === 4 ? `vec4<${source}>` : source};
alias Target = ${width === 4 ? `vec4<${target}>` : target};
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Source>;
@group(0) @binding(1) var<storage, read_write> y: array<Target>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    y[index] = Target(x[index]);
  }
}
`;
