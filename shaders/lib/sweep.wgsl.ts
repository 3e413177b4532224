/** The entry point of kernels that treat the Values of an array one by one. */
import { flatWorkgroup } from "./grid.wgsl.ts";
import { unroll } from "./unroll.ts";

/** How the Values are shared out. */
export interface SweepOptions {
  /** Lanes of a workgroup. */
  readonly workgroup: number;
  /** Values of one invocation, a workgroup apart: neighbouring lanes have neighbouring Values. */
  readonly each: number;
}

/** `main`: calls `element(index)` for each index below params.count. */
export const sweep = ({ workgroup, each }: SweepOptions): string => `${flatWorkgroup}
@compute @workgroup_size(${workgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * ${workgroup * each}u + lid.x;
${unroll(
  each,
  (k) => `  if (index + ${k * workgroup}u < params.count) {
    element(index + ${k * workgroup}u);
  }`,
)}
}
`;
