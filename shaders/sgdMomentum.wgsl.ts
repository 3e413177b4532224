/** SGD with momentum. v ← m·v + (s·g + wd·mask·p), p ← p − lr·v (Nesterov: p − lr·(g' + m·v)). */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link sgdMomentum}. */
export interface SgdMomentumOptions {
  readonly workgroup: number;
  readonly width: PackWidth;
  readonly isNesterov: boolean;
  readonly hasMask: boolean;
}

/** One invocation = one pack. All arenas: [size]; grad_scale (s): one value. */
export const sgdMomentum = ({
  workgroup,
  width,
  isNesterov,
  hasMask,
}: SgdMomentumOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${pack(width)}
${flatWorkgroup}
struct Params {
  packs: u32,
  momentum: f32,
  weight_decay: f32,
}
@group(0) @binding(0) var<storage, read_write> param: array<Pack>;
@group(0) @binding(1) var<storage, read> grad: array<Pack>;
@group(0) @binding(2) var<storage, read_write> velocity: array<Pack>;
@group(0) @binding(3) var<uniform> learning_rate: f32;
@group(0) @binding(4) var<storage, read> grad_scale: array<f32>;
#if ${hasMask}
@group(0) @binding(5) var<storage, read> decay_mask: array<Pack>;
@group(0) @binding(6) var<uniform> params: Params;
#else
@group(0) @binding(5) var<uniform> params: Params;
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
#if ${hasMask}
  let decay = decay_mask[index] * params.weight_decay;
#else
  let decay = Pack(params.weight_decay);
#endif
  let value = param[index];
  let slope = grad[index] * grad_scale[0] + value * decay;
  let speed = velocity[index] * params.momentum + slope;
  velocity[index] = speed;
#if ${isNesterov}
  param[index] = value - (slope + speed * params.momentum) * learning_rate;
#else
  param[index] = value - speed * learning_rate;
#endif
}
`;
