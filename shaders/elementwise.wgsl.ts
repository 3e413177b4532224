/** A chain of elementwise stages in one sweep. y[i] = stage_n(… stage_1(operands[i]) …). */
import type { Epilogue } from "./lib/epilogue.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link elementwise}. */
export interface ElementwiseOptions {
  readonly workgroup: number;
  /** The stages; the kernel has no value and no output of its own. */
  readonly epilogue: Epilogue;
}

/** One invocation = one Value. The count is in Values. */
export const elementwise = ({ workgroup, epilogue }: ElementwiseOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  count: u32,
${epilogue.fields}
}
@group(0) @binding(${epilogue.paramsBinding}) var<uniform> params: Params;
${epilogue.text}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index < params.count) {
    finish(index);
  }
}
`;
