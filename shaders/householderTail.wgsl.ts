/** The last columns of a tridiagonalisation, all in one dispatch. */
import { reflectColumn } from "./lib/householder.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link householderTail}. */
export interface HouseholderTailOptions {
  /** Lanes of the workgroup. */
  readonly lanes: number;
  /** They are one subgroup. */
  readonly subgroup: boolean;
}

/**
 * One workgroup. For each column from params.column on: its reflector u (row k of v), then
 * A ← A − v wᵀ − w vᵀ and p = A u over what is left. A is symmetric, so that a lane takes columns of
 * it for rows, and lanes lie side by side in memory; four at a time share the loads of v, w and u.
 * a, v: [size, size]; p, w: [size]; tri: [3, size].
 */
export const householderTail = ({ lanes, subgroup }: HouseholderTailOptions): string => wgsl`
#if ${subgroup}
enable subgroups;
#endif
${rowReduce({ lanes, subgroup })}
struct Params {
  size: u32,
  column: u32,
}
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> p: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> tri: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
${reflectColumn}
fn update(k: u32, size: u32, lane: u32) {
  let old = (max(k, 1u) - 1u) * size;
  let fresh = k * size;
  for (var start = k + 1u + lane; start < size; start += 4u * ROW_LANES) {
    let wanted = start + vec4u(0u, 1u, 2u, 3u) * ROW_LANES;
    let stores = wanted < vec4u(size);
    let rows = min(wanted, vec4u(size - 1u)); // rows past the end stand for the last one
    let v_i = vec4f(v[old + rows.x], v[old + rows.y], v[old + rows.z], v[old + rows.w]);
    let w_i = vec4f(w[rows.x], w[rows.y], w[rows.z], w[rows.w]);
    var sums = vec4f();
    for (var j = k + 1u; j < size; j++) {
      let at = vec4u(j * size) + rows;
      let before = vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
      let after = before - v_i * w[j] - w_i * v[old + j];
      sums += after * v[fresh + j];
      if (stores.x) {
        a[at.x] = after.x;
      }
      if (stores.y) {
        a[at.y] = after.y;
      }
      if (stores.z) {
        a[at.z] = after.z;
      }
      if (stores.w) {
        a[at.w] = after.w;
      }
    }
    if (stores.x) {
      p[rows.x] = sums.x;
    }
    if (stores.y) {
      p[rows.y] = sums.y;
    }
    if (stores.z) {
      p[rows.z] = sums.z;
    }
    if (stores.w) {
      p[rows.w] = sums.w;
    }
  }
}

@compute @workgroup_size(ROW_LANES)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  for (var k = params.column; k < params.size; k++) {
    reflect_column(k, params.size, lid.x);
    storageBarrier();
    update(k, params.size, lid.x);
    storageBarrier();
  }
}
`;
