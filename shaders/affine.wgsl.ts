/** y[i] = x[i] · scale + shift. */
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link affine}. */
export interface AffineOptions extends SweepOptions {
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
}

/** `element` makes one Value. The count is in Values. */
export const affine = ({ width, ...sweeping }: AffineOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4f" : "f32"};
struct Params {
  count: u32,
  scale: f32,
  shift: f32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

fn element(index: u32) {
  y[index] = x[index] * params.scale + params.shift;
}
${sweep(sweeping)}
`;
