/** SGD with momentum. v ← m·v + (s·g + wd·mask·p), p ← p − lr·v (Nesterov: p − lr·(g' + m·v)). */
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link sgdMomentum}. */
export interface SgdMomentumOptions extends SweepOptions {
  readonly width: PackWidth;
  readonly isNesterov: boolean;
  readonly hasMask: boolean;
  /** grad_scale is the state of lossScale: a factor of 0 leaves everything as it is. */
  readonly canSkip: boolean;
}

/** `element` treats one pack. All arenas: [size]; grad_scale (s): one value. */
export const sgdMomentum = ({
  width,
  isNesterov,
  hasMask,
  canSkip,
  ...sweeping
}: SgdMomentumOptions): string => wgsl`
${pack(width)}
struct Params {
  count: u32,
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

fn element(index: u32) {
#if ${canSkip}
  if (grad_scale[0] == 0.0) {
    return;
  }
#endif
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
${sweep(sweeping)}
`;
