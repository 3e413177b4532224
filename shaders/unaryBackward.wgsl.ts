/** Gradient of any elementwise op of one operand. dx[i] = g[i] · apply(x[i]), apply = its slope. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";
import { applyAll } from "./unary.wgsl.ts";
import type { UnaryOptions } from "./unary.wgsl.ts";

/** One invocation = one Value. The count is in Values. */
export const unaryBackward = ({ apply, width, workgroup }: UnaryOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${apply}
${applyAll(width)}
${flatWorkgroup}
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> g: array<Value>;
@group(0) @binding(1) var<storage, read> x: array<Value>;
@group(0) @binding(2) var<storage, read_write> dx: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    dx[index] = g[index] * apply_all(x[index]);
  }
}
`;
