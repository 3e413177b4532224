/** Adds rows to chosen rows of a table, in place. table[indices[n], :] += change[n, :]. */
import type { GatherOptions } from "./gather.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * One invocation = one Value of change; cols in Values. No row may be chosen twice.
 * table: [rows, cols], change: [N, cols].
 */
export const addRows = ({ width, workgroup }: GatherOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4f" : "f32"};
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
  rows: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read_write> table: array<Value>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read> change: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.count) {
    return;
  }
  let row = indices[index / params.cols];
  if (row >= 0 && u32(row) < params.rows) {
    table[u32(row) * params.cols + index % params.cols] += change[index];
  }
}
`;
