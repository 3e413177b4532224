/** Second pass of a matrix product whose terms were split: y = Σ_split parts[split] (+ bias). */
import type { Epilogue } from "./lib/epilogue.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulSplits}. */
export interface MatmulSplitsOptions {
  readonly workgroup: number;
  /** Elements of one invocation, neighbours in a row. */
  readonly width: PackWidth;
  readonly hasBias: boolean;
  /** What happens to each Cell before it is stored; absent: nothing. */
  readonly epilogue?: Epilogue;
}

/** One invocation adds up one Cell, in the order of the splits. parts: [splits, cells]. */
export const matmulSplits = ({
  workgroup,
  width,
  hasBias,
  epilogue,
}: MatmulSplitsOptions): string => wgsl`
${enableHalf(epilogue?.isHalf ?? false)}
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
struct Params {
  cells: u32,
  splits: u32,
#if ${hasBias}
  cols: u32, // Cells of a row
#endif
${epilogue?.fields ?? ""}
}
alias Cell = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(0) var<storage, read> parts: array<Cell>;
#if ${hasBias}
@group(0) @binding(1) var<storage, read> bias: array<Cell>;
@group(0) @binding(2) var<storage, read_write> y: array<${epilogue?.output ?? "Cell"}>;
#else
@group(0) @binding(1) var<storage, read_write> y: array<${epilogue?.output ?? "Cell"}>;
#endif
@group(0) @binding(${epilogue?.paramsBinding ?? (hasBias ? 3 : 2)}) var<uniform> params: Params;

#if ${epilogue !== undefined}
${epilogue?.text ?? ""}
#else
fn finish(at: u32, value: Cell) {
  y[at] = value;
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let cell = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (cell >= params.cells) {
    return;
  }
  var sum = Cell();
  for (var split = 0u; split < params.splits; split++) {
    sum += parts[split * params.cells + cell];
  }
#if ${hasBias}
  sum += bias[cell % params.cols];
#endif
  finish(cell, sum);
}
`;
