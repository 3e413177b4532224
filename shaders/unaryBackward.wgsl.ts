/** Gradient of any elementwise op of one operand. dx[i] = g[i] · apply(x[i]), apply = its slope. */
import { enableHalf, halfAlias } from "./lib/half.wgsl.ts";
import { sweep } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";
import { applyAll } from "./unary.wgsl.ts";
import type { UnaryOptions } from "./unary.wgsl.ts";

/** `element` makes one Value; only x may be f16. The count is in Values. */
export const unaryBackward = ({ apply, width, isHalf, ...sweeping }: UnaryOptions): string => wgsl`
${enableHalf(isHalf)}
${apply}
${applyAll(width)}
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> g: array<Value>;
#if ${isHalf}
${halfAlias(width)}
@group(0) @binding(1) var<storage, read> x: array<Half>;
#else
@group(0) @binding(1) var<storage, read> x: array<Value>;
#endif
@group(0) @binding(2) var<storage, read_write> dx: array<Value>;
@group(0) @binding(3) var<uniform> params: Params;

#if ${isHalf}
fn element(index: u32) {
  dx[index] = g[index] * apply_all(Value(x[index]));
}
#else
fn element(index: u32) {
  dx[index] = g[index] * apply_all(x[index]);
}
#endif
${sweep(sweeping)}
`;
