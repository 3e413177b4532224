/** Reduces a long middle axis. y[o, p, c] = scale · combine over r in part p of x[o, r, c]. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { enableHalf, halfAlias } from "./lib/half.wgsl.ts";
import { combine } from "./lib/combine.wgsl.ts";
import type { Combination } from "./lib/combine.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link reduceSharedColumns}; workgroup = lanesAcross × lanesDown. */
export interface ReduceSharedColumnsOptions {
  readonly combination: Combination;
  /** Columns in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  /** Neighbouring Values that a workgroup takes. */
  readonly lanesAcross: number;
  /** Lanes that share a column, a power of 2; each takes every lanesDown-th row. */
  readonly lanesDown: number;
  /** x is stored as f16. */
  readonly isHalf: boolean;
}

/**
 * One workgroup = one part of ACROSS columns. A lane loads AT_ONCE rows before it adds them, so
 * that it waits for memory once; lanes of a column meet in a tree. x: [outer, reduce, columns],
 * y: [outer, parts, columns]; columns are in Values, blocks are workgroups along them.
 */
export const reduceSharedColumns = (o: ReduceSharedColumnsOptions): string => wgsl`
${enableHalf(o.isHalf)}
alias Value = ${o.width === 4 ? "vec4f" : "f32"};
const ACROSS: u32 = ${o.lanesAcross}u;
const DOWN: u32 = ${o.lanesDown}u;
const AT_ONCE: u32 = 4u;
${combine(o.combination)}
${flatWorkgroup}
struct Params {
  segments: u32, // = outer · parts
  blocks: u32,
  columns: u32,
  parts: u32,
  reduce: u32,
  part_length: u32,
  scale: f32,
}
#if ${o.isHalf}
${halfAlias(o.width)}
@group(0) @binding(0) var<storage, read> x: array<Half>;
#else
@group(0) @binding(0) var<storage, read> x: array<Value>;
#endif
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> totals: array<Value, ${o.lanesAcross * o.lanesDown}>; // [DOWN, ACROSS]

@compute @workgroup_size(${o.lanesAcross * o.lanesDown})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = flat_workgroup(wid, groups);
  let segment = min(group / params.blocks, params.segments - 1u); // surplus ones store nothing
  let wanted = (group % params.blocks) * ACROSS + lid.x % ACROSS;
  let column = min(wanted, params.columns - 1u);
  let down = lid.x / ACROSS;
  let first = (segment % params.parts) * params.part_length;
  let last = min(first + params.part_length, params.reduce);
  let base = (segment / params.parts) * params.reduce;
  var total = Value(START);
  for (var row = first + down; row < last; row += AT_ONCE * DOWN) {
    var rows: array<Value, AT_ONCE>;
    for (var k = 0u; k < AT_ONCE; k++) {
      rows[k] = Value(x[(base + min(row + k * DOWN, last - 1u)) * params.columns + column]);
    }
    for (var k = 0u; k < AT_ONCE; k++) {
      total = combine(total, select(Value(START), rows[k], row + k * DOWN < last));
    }
  }
  totals[lid.x] = total;
  for (var half = DOWN / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (down < half) {
      totals[lid.x] = combine(totals[lid.x], totals[lid.x + half * ACROSS]);
    }
  }
  if (down == 0u && wanted < params.columns && group < params.segments * params.blocks) {
    y[segment * params.columns + column] = totals[lid.x] * params.scale;
  }
}
`;
