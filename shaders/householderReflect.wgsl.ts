/** One column of the tridiagonalisation: finishes the last rank-2 update, makes the next reflector. */
import { reflectColumn } from "./lib/householder.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link householderReflect}. */
export interface HouseholderReflectOptions {
  /** Lanes of the workgroup. */
  readonly lanes: number;
  /** They are one subgroup. */
  readonly subgroup: boolean;
}

/** One workgroup: see {@link reflectColumn}. a, v: [size, size]; p, w: [size]; tri: [3, size]. */
export const householderReflect = ({ lanes, subgroup }: HouseholderReflectOptions): string => wgsl`
#if ${subgroup}
enable subgroups;
#endif
${rowReduce({ lanes, subgroup })}
struct Params {
  size: u32,
  column: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> tri: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
${reflectColumn}
@compute @workgroup_size(ROW_LANES)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  reflect_column(params.column, params.size, lid.x);
}
`;
