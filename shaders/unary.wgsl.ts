/** Elementwise op of one operand. y[i] = apply(x[i]). */
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link unary} and of its backward. */
export interface UnaryOptions extends SweepOptions {
  /** `fn apply(x: f32) -> f32` and what it calls. */
  readonly apply: string;
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
}

/** `apply_all(value)`: apply on each element of a Value. */
export const applyAll = (width: 1 | 4): string => wgsl`
#if ${width === 4}
alias Value = vec4f;
fn apply_all(value: Value) -> Value {
  return Value(apply(value.x), apply(value.y), apply(value.z), apply(value.w));
}
#else
alias Value = f32;
fn apply_all(value: Value) -> Value {
  return apply(value);
}
#endif`;

/** `element` makes one Value. The count is in Values. */
export const unary = ({ apply, width, ...sweeping }: UnaryOptions): string => wgsl`
${apply}
${applyAll(width)}
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

fn element(index: u32) {
  y[index] = apply_all(x[index]);
}
${sweep(sweeping)}
`;
