/** Elementwise op of two broadcast operands in any pattern. y[i] = apply(a[at a(i)], b[at b(i)]). */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link binaryStrided}. */
export interface BinaryStridedOptions {
  /** `fn apply(a: Value, b: Value) -> Value`. */
  readonly apply: string;
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  /** One f32 of the operand serves a whole Value. */
  readonly aSplat: boolean;
  readonly bSplat: boolean;
  /** Axes in use, at most 8. */
  readonly rank: number;
  readonly workgroup: number;
}

/** One invocation = one Value of y; strides are 0 along repeated axes. */
export const binaryStrided = (o: BinaryStridedOptions): string => wgsl`
alias Value = ${o.width === 4 ? "vec4f" : "f32"};
const WORKGROUP: u32 = ${o.workgroup}u;
const RANK: u32 = ${o.rank}u;
${o.apply}
${flatWorkgroup}
struct Params {
  sizes: array<vec4u, 2>,
  a_strides: array<vec4u, 2>,
  b_strides: array<vec4u, 2>,
  count: u32,
}
#if ${o.aSplat}
@group(0) @binding(0) var<storage, read> a: array<f32>;
#else
@group(0) @binding(0) var<storage, read> a: array<Value>;
#endif
#if ${o.bSplat}
@group(0) @binding(1) var<storage, read> b: array<f32>;
#else
@group(0) @binding(1) var<storage, read> b: array<Value>;
#endif
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
  var rest = index;
  var a_index = 0u;
  var b_index = 0u;
  for (var axis = RANK - 1u; axis > 0u; axis--) {
    let size = params.sizes[axis / 4u][axis % 4u];
    let outer = rest / size;
    let place = rest - outer * size;
    rest = outer;
    a_index += place * params.a_strides[axis / 4u][axis % 4u];
    b_index += place * params.b_strides[axis / 4u][axis % 4u];
  }
  a_index += rest * params.a_strides[0].x;
  b_index += rest * params.b_strides[0].x;
  y[index] = apply(Value(a[a_index]), Value(b[b_index]));
}
`;
