/** Elementwise op of one operand. y[i] = apply(x[i]). */
import { enableHalf, halfAlias } from "./lib/half.wgsl.ts";
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link unary} and of its backward. */
export interface UnaryOptions extends SweepOptions {
  /** `fn apply(x: f32) -> f32` and what it calls. */
  readonly apply: string;
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  /** x is stored as f16, and so is y. */
  readonly isHalf: boolean;
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
export const unary = ({ apply, width, isHalf, ...sweeping }: UnaryOptions): string => wgsl`
${enableHalf(isHalf)}
${apply}
${applyAll(width)}
struct Params {
  count: u32,
}
#if ${isHalf}
${halfAlias(width)}
@group(0) @binding(0) var<storage, read> x: array<Half>;
@group(0) @binding(1) var<storage, read_write> y: array<Half>;
#else
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> y: array<Value>;
#endif
@group(0) @binding(2) var<uniform> params: Params;

#if ${isHalf}
fn element(index: u32) {
  y[index] = Half(apply_all(Value(x[index])));
}
#else
fn element(index: u32) {
  y[index] = apply_all(x[index]);
}
#endif
${sweep(sweeping)}
`;
