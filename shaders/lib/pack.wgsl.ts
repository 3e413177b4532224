/** `Pack`: four neighbouring f32 at once where a size allows it, else one, from the same source. */
import { wgsl } from "./wgsl.ts";

/** Floats that one load or store moves. */
export type PackWidth = 1 | 4;

/** `PACK_WIDTH`, `Pack` and `pack_sum(value)`, the sum of its floats. */
export const pack = (width: PackWidth): string => wgsl`
const PACK_WIDTH: u32 = ${width}u;
#if ${width === 4}
alias Pack = vec4f;
fn pack_sum(value: Pack) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}
#else
alias Pack = f32;
fn pack_sum(value: Pack) -> f32 {
  return value;
}
#endif`;
