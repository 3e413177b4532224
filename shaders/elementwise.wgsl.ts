/** A chain of elementwise stages in one sweep. y[i] = stage_n(… stage_1(operands[i]) …). */
import type { Epilogue } from "./lib/epilogue.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { sweep } from "./lib/sweep.wgsl.ts";
import type { SweepOptions } from "./lib/sweep.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link elementwise}. */
export interface ElementwiseOptions extends SweepOptions {
  /** The stages; the kernel has no value and no output of its own. */
  readonly epilogue: Epilogue;
}

/** `element` makes one Value. The count is in Values. */
export const elementwise = ({ epilogue, ...sweeping }: ElementwiseOptions): string => wgsl`
${enableHalf(epilogue.isHalf)}
struct Params {
  count: u32,
${epilogue.fields}
}
@group(0) @binding(${epilogue.paramsBinding}) var<uniform> params: Params;
${epilogue.text}

fn element(index: u32) {
  finish(index);
}
${sweep(sweeping)}
`;
