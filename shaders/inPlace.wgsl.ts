/** Elementwise updates of a buffer in place: accumulate, moving average, fill. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link inPlace}. */
export interface InPlaceOptions {
  readonly workgroup: number;
  readonly width: PackWidth;
  /** There is a second operand; otherwise every value becomes `scale`. */
  readonly hasOperand: boolean;
}

/** One invocation = one pack: values ← values · keep + x · scale, or values ← scale. All: [size]. */
export const inPlace = ({ workgroup, width, hasOperand }: InPlaceOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${pack(width)}
${flatWorkgroup}
struct Params {
  packs: u32,
  keep: f32,
  scale: f32,
}
@group(0) @binding(0) var<storage, read_write> values: array<Pack>;
#if ${hasOperand}
@group(0) @binding(1) var<storage, read> x: array<Pack>;
@group(0) @binding(2) var<uniform> params: Params;
#else
@group(0) @binding(1) var<uniform> params: Params;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.packs) {
    return;
  }
#if ${hasOperand}
  values[index] = values[index] * params.keep + x[index] * params.scale;
#else
  values[index] = Pack(params.scale);
#endif
}
`;
