/** Partial sums of squares: lane by lane along the arena, then a tree; the order is fixed. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link squaredNorm}. */
export interface SquaredNormOptions {
  /** Lanes of a workgroup, a power of 2. */
  readonly workgroup: number;
  readonly width: PackWidth;
  /** Add the values (partial sums of an earlier pass) instead of their squares. */
  readonly isSum: boolean;
}

/** One workgroup adds `turns` × WORKGROUP packs of x [size] up to one of totals [workgroups]. */
export const squaredNorm = ({ workgroup, width, isSum }: SquaredNormOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${pack(width)}
${flatWorkgroup}
struct Params {
  packs: u32,
  turns: u32,
  totals: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Pack>;
@group(0) @binding(1) var<storage, read_write> totals: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<f32, ${workgroup}>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let which = flat_workgroup(wid, groups);
  let first = which * params.turns * WORKGROUP + lid.x;
  let end = min(first + params.turns * WORKGROUP, params.packs);
  var total = Pack(0.0);
  for (var index = first; index < end; index += WORKGROUP) {
    let value = x[index];
#if ${isSum}
    total += value;
#else
    total += value * value;
#endif
  }
  partials[lid.x] = pack_sum(total);
  workgroupBarrier();
  for (var span = WORKGROUP / 2u; span > 0u; span /= 2u) {
    if (lid.x < span) {
      partials[lid.x] += partials[lid.x + span];
    }
    workgroupBarrier();
  }
  if (lid.x == 0u && which < params.totals) {
    totals[which] = partials[0];
  }
}
`;
