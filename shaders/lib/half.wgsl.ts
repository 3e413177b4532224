/** Half floats in memory. Kernels widen them as they load and narrow them as they store. */
import { wgsl } from "./wgsl.ts";

/** The directive of shaders that name f16; it stands before everything else. */
export const enableHalf = (isUsed: boolean): string => (isUsed ? "enable f16;\n" : "");

/** `Element` and `Quad`, what arrays hold one or four of: f16 or f32. */
export const element = (isHalf: boolean): string => wgsl`
#if ${isHalf}
alias Element = f16;
alias Quad = vec4<f16>;
#else
alias Element = f32;
alias Quad = vec4f;
#endif`;

/** `Half`, a Value of so many floats as f16 holds it; storing rounds to nearest even. */
export const halfAlias = (width: 1 | 4): string =>
  `alias Half = ${width === 4 ? "vec4<f16>" : "f16"};`;

/** `Stored`, what arrays of Element hold of so many floats. */
export const stored = (width: 1 | 4): string =>
  `alias Stored = ${width === 4 ? "Quad" : "Element"};`;
