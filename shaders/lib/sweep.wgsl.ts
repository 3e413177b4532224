/** The entry point of kernels that treat the Values of an array one by one. */
import { flatWorkgroup } from "./grid.wgsl.ts";

/** How the Values are shared out. */
export interface SweepOptions {
  /** Lanes of a workgroup. */
  readonly workgroup: number;
  /** Values of one invocation, a workgroup apart: neighbouring lanes have neighbouring Values. */
  readonly each: number;
}

/**
 * What an invocation does with its Values. The bound of the loop is no constant, so that compilers
 * keep the loop: copies of its body overflow the instruction cache of a CPU.
 */
const visit = ({ workgroup, each }: SweepOptions): string =>
  each === 1
    ? `  if (index < params.count) {
    element(index);
  }`
    : `  let end = min(index + ${workgroup * each}u, params.count);
  for (var at = index; at < end; at += ${workgroup}u) {
    element(at);
  }`;

/** `main`: calls `element(index)` for each index below params.count. */
export const sweep = (options: SweepOptions): string => `${flatWorkgroup}
@compute @workgroup_size(${options.workgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * ${options.workgroup * options.each}u + lid.x;
${visit(options)}
}
`;
