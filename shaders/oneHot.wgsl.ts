/** y[n, c] = 1 where labels[n] = c, else 0. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link oneHot}. */
export interface OneHotOptions {
  readonly workgroup: number;
}

/** One invocation = one element of y: [N, classes]. */
export const oneHot = ({ workgroup }: OneHotOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
  classes: u32,
}
@group(0) @binding(0) var<storage, read> labels: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    let is_label = labels[index / params.classes] == i32(index % params.classes);
    y[index] = select(0.0, 1.0, is_label);
  }
}
`;
