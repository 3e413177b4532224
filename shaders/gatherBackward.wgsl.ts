/** Gradient of gather. dtable[row, :] = Σ g[n, :] over the n with indices[n] = row. */
import type { GatherOptions } from "./gather.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * One invocation = one Value of dtable: it looks through all indices in order, so that the sum has
 * one order and no atomics. cols in Values. g: [N, cols], dtable: [rows, cols].
 */
export const gatherBackward = ({ width, workgroup }: GatherOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4f" : "f32"};
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
  index_count: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read> g: array<Value>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> dtable: array<Value>;
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
  let row = i32(index / params.cols);
  let col = index % params.cols;
  var total = Value();
  for (var n = 0u; n < params.index_count; n++) {
    if (indices[n] == row) {
      total += g[n * params.cols + col];
    }
  }
  dtable[index] = total;
}
`;
