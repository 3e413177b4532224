/** Elementwise updates of a buffer in place: accumulate, moving average, fill. */
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link inPlace}. */
export interface InPlaceOptions extends SweepOptions {
  readonly width: PackWidth;
  /** There is a second operand; otherwise every value becomes `scale`. */
  readonly hasOperand: boolean;
}

/** `element` treats one pack: values ← values · keep + x · scale, or values ← scale. All: [size]. */
export const inPlace = ({ width, hasOperand, ...sweeping }: InPlaceOptions): string => wgsl`
${pack(width)}
struct Params {
  count: u32,
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

fn element(index: u32) {
#if ${hasOperand}
  values[index] = values[index] * params.keep + x[index] * params.scale;
#else
  values[index] = Pack(params.scale);
#endif
}
${sweep(sweeping)}
`;
