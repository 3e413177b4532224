/** y[i] = x[i] · scale + shift. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link affine}. */
export interface AffineOptions {
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  readonly workgroup: number;
}

/** One invocation = one Value. The count is in Values. */
export const affine = ({ width, workgroup }: AffineOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4f" : "f32"};
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
  scale: f32,
  shift: f32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    y[index] = x[index] * params.scale + params.shift;
  }
}
`;
