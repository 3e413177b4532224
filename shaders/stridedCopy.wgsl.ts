/** Copies a strided view into contiguous memory. y[i] = x[offset + Σ place · stride]. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link stridedCopy}. */
export interface StridedCopyOptions {
  /** Elements in a Value of y. */
  readonly width: 1 | 4;
  /** x holds Values too; otherwise its elements are picked one by one, last_stride apart. */
  readonly whole: boolean;
  /** Axes in use, at most 8. */
  readonly rank: number;
  readonly workgroup: number;
  /** Elements take 2 bytes instead of 4. */
  readonly isHalf: boolean;
}

/** One invocation = one Value of y; strides count what x is an array of. Values are moved as bits, so any dtype of that size will do. */
export const stridedCopy = (o: StridedCopyOptions): string => wgsl`
${enableHalf(o.isHalf)}
#if ${o.isHalf}
alias Element = f16;
alias Value = ${o.width === 4 ? "vec4<f16>" : "f16"};
#else
alias Element = u32;
alias Value = ${o.width === 4 ? "vec4u" : "u32"};
#endif
const WORKGROUP: u32 = ${o.workgroup}u;
const RANK: u32 = ${o.rank}u;
${flatWorkgroup}
struct Params {
  sizes: array<vec4u, 2>,
  strides: array<vec4u, 2>,
  offset: u32,
  last_stride: u32,
  count: u32,
}
#if ${o.whole}
@group(0) @binding(0) var<storage, read> x: array<Value>;
fn value_at(source: u32) -> Value {
  return x[source];
}
#else
@group(0) @binding(0) var<storage, read> x: array<Element>;
fn value_at(source: u32) -> Value {
  let step = params.last_stride;
  return Value(x[source], x[source + step], x[source + 2u * step], x[source + 3u * step]);
}
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
  var rest = index;
  var source = params.offset;
  for (var axis = RANK - 1u; axis > 0u; axis--) {
    let size = params.sizes[axis / 4u][axis % 4u];
    let outer = rest / size;
    let place = rest - outer * size;
    rest = outer;
    source += place * params.strides[axis / 4u][axis % 4u];
  }
  source += rest * params.strides[0].x;
  y[index] = value_at(source);
}
`;
