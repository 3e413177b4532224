/** y[n, c] = 1 where labels[n] = c, else 0. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link oneHot}. */
export interface OneHotOptions {
  /** Classes in a Value. */
  readonly width: 1 | 4;
  readonly workgroup: number;
}

/** One invocation = one Value of y: [N, classes]; both counts are in Values. */
export const oneHot = ({ width, workgroup }: OneHotOptions): string => wgsl`
#if ${width === 4}
alias Value = vec4f;
fn matches(label: i32, first: i32) -> Value {
  return select(Value(0.0), Value(1.0), vec4i(label) == first + vec4i(0, 1, 2, 3));
}
#else
alias Value = f32;
fn matches(label: i32, first: i32) -> Value {
  return select(0.0, 1.0, label == first);
}
#endif
const WIDTH: u32 = ${width}u;
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
  classes: u32,
}
@group(0) @binding(0) var<storage, read> labels: array<i32>;
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
    let first = i32((index % params.classes) * WIDTH);
    y[index] = matches(labels[index / params.classes], first);
  }
}
`;
