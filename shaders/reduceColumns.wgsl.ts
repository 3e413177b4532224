/** Reduces a middle axis. y[o, p, c] = scale · combine over r in part p of x[o, r, c]. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { enableHalf, halfAlias } from "./lib/half.wgsl.ts";
import { combine } from "./lib/combine.wgsl.ts";
import type { Combination } from "./lib/combine.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link reduceColumns}. */
export interface ReduceColumnsOptions {
  readonly combination: Combination;
  /** Columns in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  readonly workgroup: number;
  /** x is stored as f16. */
  readonly isHalf: boolean;
}

/**
 * One invocation = one Value of one part of one column, summed from the first row to the last;
 * neighbouring invocations read neighbouring columns. x: [outer, reduce, columns],
 * y: [outer, parts, columns]; columns and count are in Values.
 */
export const reduceColumns = ({
  combination,
  width,
  workgroup,
  isHalf,
}: ReduceColumnsOptions): string => wgsl`
${enableHalf(isHalf)}
alias Value = ${width === 4 ? "vec4f" : "f32"};
const WORKGROUP: u32 = ${workgroup}u;
${combine(combination)}
${flatWorkgroup}
struct Params {
  count: u32,
  columns: u32,
  parts: u32,
  reduce: u32,
  part_length: u32,
  scale: f32,
}
#if ${isHalf}
${halfAlias(width)}
@group(0) @binding(0) var<storage, read> x: array<Half>;
#else
@group(0) @binding(0) var<storage, read> x: array<Value>;
#endif
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

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
  let column = index % params.columns;
  let segment = index / params.columns;
  let first = (segment % params.parts) * params.part_length;
  let last = min(first + params.part_length, params.reduce);
  let base = (segment / params.parts) * params.reduce;
  var total = Value(START);
  for (var row = first; row < last; row++) {
    total = combine(total, Value(x[(base + row) * params.columns + column]));
  }
  y[index] = total * params.scale;
}
`;
