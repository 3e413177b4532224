/** Copies a strided view into contiguous memory. y[i] = x[offset + Σ place · stride]. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link stridedCopy}. */
export interface StridedCopyOptions {
  /** Elements in a Value. */
  readonly width: 1 | 4;
  /** Axes in use, at most 8. */
  readonly rank: number;
  readonly workgroup: number;
}

/** One invocation = one Value of y. Values are moved as bits, so any dtype will do. */
export const stridedCopy = ({ width, rank, workgroup }: StridedCopyOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4u" : "u32"};
const WORKGROUP: u32 = ${workgroup}u;
const RANK: u32 = ${rank}u;
${flatWorkgroup}
struct Params {
  sizes: array<vec4u, 2>,
  strides: array<vec4u, 2>,
  offset: u32,
  count: u32,
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
  if (index >= params.count) {
    return;
  }
  var rest = index;
  var source = params.offset;
  for (var left = RANK; left > 0u; left--) {
    let axis = left - 1u;
    let size = params.sizes[axis / 4u][axis % 4u];
    source += (rest % size) * params.strides[axis / 4u][axis % 4u];
    rest /= size;
  }
  y[index] = x[source];
}
`;
