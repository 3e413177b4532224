/** AdamW. m, v: moving means of g and g²; p ← p·(1 − lr·wd·mask) − lr·(m/c₁) / (√(v/c₂) + eps), c = 1 − βᵗ. */
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link adamw}. */
export interface AdamwOptions extends SweepOptions {
  readonly width: PackWidth;
  readonly hasMask: boolean;
  /** grad_scale is the state of lossScale: a factor of 0 leaves everything as it is. */
  readonly canSkip: boolean;
}

/** `element` treats one pack. All arenas: [size]; grad_scale: one value; step: t, from 1. */
export const adamw = ({ width, hasMask, canSkip, ...sweeping }: AdamwOptions): string => wgsl`
${pack(width)}
struct Params {
  count: u32,
  beta1: f32,
  rest1: f32, // 1 − beta1, rounded from float64 as the next two
  log_beta1: f32,
  log_beta2: f32,
  beta2: f32,
  rest2: f32, // 1 − beta2
  eps: f32,
  weight_decay: f32,
}
@group(0) @binding(0) var<storage, read_write> param: array<Pack>;
@group(0) @binding(1) var<storage, read> grad: array<Pack>;
@group(0) @binding(2) var<storage, read_write> m: array<Pack>;
@group(0) @binding(3) var<storage, read_write> v: array<Pack>;
@group(0) @binding(4) var<uniform> learning_rate: f32;
@group(0) @binding(5) var<uniform> step: f32;
@group(0) @binding(6) var<storage, read> grad_scale: array<f32>;
#if ${hasMask}
@group(0) @binding(7) var<storage, read> decay_mask: array<Pack>;
@group(0) @binding(8) var<uniform> params: Params;
#else
@group(0) @binding(7) var<uniform> params: Params;
#endif

// 1 − exp(x) for x < 0. Near 0 the difference would cancel, so there it is the Taylor series, whose
// first term left out is x^9/9!: below 1e-8 of the sum for x from −0.5 on.
fn one_minus_exp(x: f32) -> f32 {
  if (x < -0.5) {
    return 1.0 - exp(x);
  }
  var sum = 1.0;
  for (var k = 8.0; k > 1.0; k -= 1.0) {
    sum = 1.0 + sum * x / k;
  }
  return -x * sum;
}

fn element(index: u32) {
#if ${canSkip}
  if (grad_scale[0] == 0.0) {
    return;
  }
  let updates = step - grad_scale[1]; // without the skipped ones
#else
  let updates = step;
#endif
#if ${hasMask}
  let decay = decay_mask[index] * (params.weight_decay * learning_rate);
#else
  let decay = Pack(params.weight_decay * learning_rate);
#endif
  let slope = grad[index] * grad_scale[0];
  let first = m[index] * params.beta1 + slope * params.rest1;
  let second = v[index] * params.beta2 + slope * slope * params.rest2;
  m[index] = first;
  v[index] = second;
  let correction1 = one_minus_exp(updates * params.log_beta1);
  let correction2 = one_minus_exp(updates * params.log_beta2);
  let size = sqrt(second / correction2) + Pack(params.eps);
  let value = param[index];
  param[index] = value - value * decay - (first * (learning_rate / correction1)) / size;
}
${sweep(sweeping)}
`;
