/** Rows of a table by index. y[n, :] = table[indices[n], :], zeros where there is no such row. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link gather} and its backward. */
export interface GatherOptions {
  /** Elements in a Value. */
  readonly width: 1 | 4;
  readonly workgroup: number;
}

/** One invocation = one Value of y; cols in Values. table: [rows, cols], y: [N, cols]. */
export const gather = ({ width, workgroup }: GatherOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4f" : "f32"};
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
  rows: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read> table: array<Value>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<Value>;
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
  var value = Value();
  if (row >= 0 && u32(row) < params.rows) {
    value = table[u32(row) * params.cols + index % params.cols];
  }
  y[index] = value;
}
`;
