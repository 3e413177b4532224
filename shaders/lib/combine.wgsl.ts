/** What a reduction does with two values, and what it starts from. */
import { wgsl } from "./wgsl.ts";

/** Sum, maximum or minimum. */
export type Combination = "sum" | "max" | "min";

/** `START` and `combine(a, b)` on Values (f32 or vec4f). */
export const combine = (combination: Combination): string => wgsl`
#if ${combination === "sum"}
const START: f32 = 0.0;
fn combine(a: Value, b: Value) -> Value {
  return a + b;
}
#elif ${combination === "max"}
const START: f32 = -3.4028234e38;
fn combine(a: Value, b: Value) -> Value {
  return max(a, b);
}
#else
const START: f32 = 3.4028234e38;
fn combine(a: Value, b: Value) -> Value {
  return min(a, b);
}
#endif`;
