/** Reduces the last axis. y[row, p] = scale · combine over c in part p of x[row, c]. */
import { enableHalf, halfAlias } from "./lib/half.wgsl.ts";
import { combine } from "./lib/combine.wgsl.ts";
import type { Combination } from "./lib/combine.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link reduceRows}. */
export interface ReduceRowsOptions {
  readonly combination: Combination;
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  /** Lanes that share one part of a row. */
  readonly lanes: number;
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
  /** x is stored as f16. */
  readonly isHalf: boolean;
}

/**
 * ROW_LANES lanes take one part of a row, each every ROW_LANES-th Value. x: [rows, reduce],
 * y: [rows, parts]; reduce and part_length are in Values, segments = rows · parts.
 */
export const reduceRows = (o: ReduceRowsOptions): string => wgsl`
${enableHalf(o.isHalf)}
#if ${o.subgroup}
enable subgroups;
#endif
alias Value = ${o.width === 4 ? "vec4f" : "f32"};
const SEGMENTS_PER_WORKGROUP: u32 = ${o.rowsPerWorkgroup}u;
${rowReduce({ lanes: o.lanes, subgroup: o.subgroup })}
${combine(o.combination)}
${flatWorkgroup}
#if ${o.combination === "sum"}
fn lanes_total(value: f32, lane: u32) -> f32 {
  return row_sum(value, lane);
}
#elif ${o.combination === "max"}
fn lanes_total(value: f32, lane: u32) -> f32 {
  return row_max(value, lane);
}
#else
fn lanes_total(value: f32, lane: u32) -> f32 {
  return -row_max(-value, lane);
}
#endif
#if ${o.width === 1}
fn value_total(value: Value) -> f32 {
  return value;
}
#elif ${o.combination === "sum"}
fn value_total(value: Value) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}
#elif ${o.combination === "max"}
fn value_total(value: Value) -> f32 {
  return max(max(value.x, value.y), max(value.z, value.w));
}
#else
fn value_total(value: Value) -> f32 {
  return min(min(value.x, value.y), min(value.z, value.w));
}
#endif
struct Params {
  segments: u32,
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
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(${o.lanes * o.rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let wanted = flat_workgroup(wid, groups) * SEGMENTS_PER_WORKGROUP + lid.x / ROW_LANES;
  let segment = min(wanted, params.segments - 1u); // surplus lanes store nothing
  let first = (segment % params.parts) * params.part_length;
  let last = min(first + params.part_length, params.reduce);
  let base = (segment / params.parts) * params.reduce;
  var total = Value(START);
  for (var c = first + lane; c < last; c += ROW_LANES) {
    total = combine(total, Value(x[base + c]));
  }
  let result = lanes_total(value_total(total), lane);
  if (wanted < params.segments && lane == 0u) {
    y[segment] = result * params.scale;
  }
}
`;
