/** What an adapter can do at best: multiply-adds in registers, and copies through memory. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link fmaProbe}. */
export interface FmaProbeOptions {
  /** Lanes of a workgroup. */
  readonly workgroup: number;
  /** Each accumulator is a vec4 rather than a scalar; there are 8 or 12 of them. */
  readonly vectors: boolean;
}

/**
 * Each invocation runs `steps` times through independent chains a ← a·m + n, all in registers.
 * x: [lanes] (m, n, then anything: the compiler must not know them), y: [lanes] (the chains' sum,
 * so that none is dead).
 */
export const fmaProbe = ({ workgroup, vectors }: FmaProbeOptions): string => wgsl`
${flatWorkgroup}
struct Params {
  lanes: u32,
  steps: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(${workgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = flat_workgroup(wid, groups) * ${workgroup}u + lid.x;
#if ${vectors}
  let m = vec4f(x[0]);
  let n = vec4f(x[1]);
  let start = vec4f(f32(lane), 1.0, 2.0, 3.0);
#else
  let m = x[0];
  let n = x[1];
  let start = f32(lane);
#endif
  var a0 = start;
  var a1 = start + 1.0;
  var a2 = start + 2.0;
  var a3 = start + 3.0;
  var a4 = start + 4.0;
  var a5 = start + 5.0;
  var a6 = start + 6.0;
  var a7 = start + 7.0;
#if ${!vectors}
  var a8 = start + 8.0;
  var a9 = start + 9.0;
  var a10 = start + 10.0;
  var a11 = start + 11.0;
#endif
  for (var step = 0u; step < params.steps; step++) {
    a0 = fma(a0, m, n);
    a1 = fma(a1, m, n);
    a2 = fma(a2, m, n);
    a3 = fma(a3, m, n);
    a4 = fma(a4, m, n);
    a5 = fma(a5, m, n);
    a6 = fma(a6, m, n);
    a7 = fma(a7, m, n);
#if ${!vectors}
    a8 = fma(a8, m, n);
    a9 = fma(a9, m, n);
    a10 = fma(a10, m, n);
    a11 = fma(a11, m, n);
#endif
  }
  let total = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7;
  if (lane < params.lanes) {
#if ${vectors}
    y[lane] = dot(total, vec4f(1.0));
#else
    y[lane] = total + a8 + a9 + a10 + a11;
#endif
  }
}
`;

/** Options of {@link copyProbe}. */
export interface CopyProbeOptions {
  readonly workgroup: number;
  /** f32 loads or vec4f loads. */
  readonly element: "f32" | "vec4f";
  /** Elements of one invocation; a workgroup's are interleaved, so that loads stay adjacent. */
  readonly perLane: 1 | 4 | 8;
}

/** y = x; one invocation copies `perLane` elements. x, y: [count] of `element`. */
export const copyProbe = ({ workgroup, element, perLane }: CopyProbeOptions): string => wgsl`
alias Element = ${element};
const WORKGROUP: u32 = ${workgroup}u;
const PER_LANE: u32 = ${perLane}u;
${flatWorkgroup}
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let first = flat_workgroup(wid, groups) * WORKGROUP * PER_LANE + lid.x;
#if ${perLane === 4}
  if (first + 3u * WORKGROUP < params.count) {
    let e0 = x[first];
    let e1 = x[first + WORKGROUP];
    let e2 = x[first + 2u * WORKGROUP];
    let e3 = x[first + 3u * WORKGROUP];
    y[first] = e0;
    y[first + WORKGROUP] = e1;
    y[first + 2u * WORKGROUP] = e2;
    y[first + 3u * WORKGROUP] = e3;
    return;
  }
#endif
  let end = min(first + PER_LANE * WORKGROUP, params.count);
  for (var index = first; index < end; index += WORKGROUP) {
    y[index] = x[index];
  }
}
`;
