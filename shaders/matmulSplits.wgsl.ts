/** Second pass of a matrix product whose terms were split: y = Σ_split parts[split]. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulSplits}. */
export interface MatmulSplitsOptions {
  readonly workgroup: number;
}

/** One invocation adds up one element, in the order of the splits. parts: [splits, elements]. */
export const matmulSplits = ({ workgroup }: MatmulSplitsOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  elements: u32,
  splits: u32,
}
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let element = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (element >= params.elements) {
    return;
  }
  var sum = 0.0;
  for (var split = 0u; split < params.splits; split++) {
    sum += parts[split * params.elements + element];
  }
  y[element] = sum;
}
`;
