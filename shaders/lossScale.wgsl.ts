/** Dynamic loss scaling: judges an update by its gradients' norm, and finds the next scale. */
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link lossScale}. */
export interface LossScaleOptions {
  /** Gradients are scaled down to max_norm besides. */
  readonly clips: boolean;
}

/**
 * One invocation in all. state: [factor, skipped, scale, good]; squared_norm: the bits of one f32,
 * which may be infinite or NaN: as floats compilers might assume that they are neither.
 */
export const lossScale = ({ clips }: LossScaleOptions): string => wgsl`
const FACTOR: u32 = 0u;
const SKIPPED: u32 = 1u;
const SCALE: u32 = 2u;
const GOOD: u32 = 3u;
const EXPONENT: u32 = 0x7f800000u; // all ones: infinite or NaN
const GUARD: f32 = 1e-6; // as torch.nn.utils.clip_grad_norm_ has it
const SMALLEST: f32 = 1.0;
const LARGEST: f32 = 16777216.0; // 2^24: gradients that need more are lost in f32 too
struct Params {
  max_norm: f32,
  grow_after: f32, // good updates
}
@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read> squared_norm: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  let scale = state[SCALE];
  if ((squared_norm[0] & EXPONENT) == EXPONENT) {
    state[FACTOR] = 0.0;
    state[SKIPPED] += 1.0;
    state[SCALE] = max(0.5 * scale, SMALLEST);
    state[GOOD] = 0.0;
    return;
  }
#if ${clips}
  let norm = sqrt(bitcast<f32>(squared_norm[0])) / scale;
  state[FACTOR] = min(1.0, params.max_norm / (norm + GUARD)) / scale;
#else
  state[FACTOR] = 1.0 / scale;
#endif
  let good = state[GOOD] + 1.0;
  let grows = good >= params.grow_after;
  state[SCALE] = select(scale, min(2.0 * scale, LARGEST), grows);
  state[GOOD] = select(good, 0.0, grows);
}
`;
