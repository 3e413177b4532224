/** What an adapter can do at best: multiply-adds in registers, and copies through memory. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link fmaProbe}. */
export interface FmaProbeOptions {
  /** Lanes of a workgroup. */
  readonly workgroup: number;
  /** What an accumulator is. */
  readonly element: "f32" | "vec4f";
  /** Independent accumulators of a lane. */
  readonly chains: number;
  /** Steps written out in one turn of the loop, whose own instructions count against the peak. */
  readonly repeats: number;
}

/**
 * Each invocation runs `turns` times through independent chains a ← a·m + n, all in registers.
 * x: [lanes] (m, n, then anything: the compiler must not know them), y: [lanes] (the chains' sum,
 * so that none is dead).
 */
export const fmaProbe = ({ workgroup, element, chains, repeats }: FmaProbeOptions): string => wgsl`
${flatWorkgroup}
alias Value = ${element};
struct Params {
  lanes: u32,
  turns: u32,
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
  let m = Value(x[0]);
  let n = Value(x[1]);
#if ${element === "vec4f"}
  let start = vec4f(f32(lane), 1.0, 2.0, 3.0);
#else
  let start = f32(lane);
#endif
${unroll(chains, (c) => `  var a${c} = start + ${c}.0;`)}
  for (var turn = 0u; turn < params.turns; turn++) {
${unroll(repeats, () => unroll(chains, (c) => `    a${c} = fma(a${c}, m, n);`))}
  }
  var total = a0;
${unroll(chains - 1, (c) => `  total += a${c + 1};`)}
  if (lane < params.lanes) {
#if ${element === "vec4f"}
    y[lane] = dot(total, vec4f(1.0));
#else
    y[lane] = total;
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
