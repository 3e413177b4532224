/** Elementwise op of two operands without strides. y[i] = apply(a[i], b[i]). */
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link binary}. */
export interface BinaryOptions extends SweepOptions {
  /** `fn apply(a: Value, b: Value) -> Value`. */
  readonly apply: string;
  /** Elements in a Value: vec4f or f32. */
  readonly width: 1 | 4;
  /** As large as y, repeated along leading axes, or one number. */
  readonly a: "full" | "repeat" | "scalar";
  readonly b: "full" | "repeat" | "scalar";
}

/** `element` makes one Value of y. Counts are in Values. */
export const binary = ({ apply, width, a, b, ...sweeping }: BinaryOptions): string => wgsl`
alias Value = ${width === 4 ? "vec4f" : "f32"};
${apply}
struct Params {
  count: u32,
  a_count: u32,
  b_count: u32,
}
#if ${a === "scalar"}
@group(0) @binding(0) var<storage, read> a: array<f32>;
#else
@group(0) @binding(0) var<storage, read> a: array<Value>;
#endif
#if ${b === "scalar"}
@group(0) @binding(1) var<storage, read> b: array<f32>;
#else
@group(0) @binding(1) var<storage, read> b: array<Value>;
#endif
@group(0) @binding(2) var<storage, read_write> y: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

fn element(index: u32) {
#if ${a === "full"}
  let left = a[index];
#elif ${a === "repeat"}
  let left = a[index % params.a_count];
#else
  let left = Value(a[0]);
#endif
#if ${b === "full"}
  let right = b[index];
#elif ${b === "repeat"}
  let right = b[index % params.b_count];
#else
  let right = Value(b[0]);
#endif
  y[index] = apply(left, right);
}
${sweep(sweeping)}
`;
