/** Last step of layernorm's gradient: dweight and dbias from the blocks' partial sums. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link layernormCombine}; workgroup = columns × segments. */
export interface LayernormCombineOptions {
  /** Columns that a workgroup adds up. */
  readonly columns: number;
  /** Lanes that share a column, a power of 2; each takes every segments-th block. */
  readonly segments: number;
  /** Blocks that a lane loads before it adds them, so that it waits for memory once. */
  readonly atOnce: number;
}

/** partials: [blocks, 2, cols]; dweight, dbias: [cols]. The order of additions is fixed. */
export const layernormCombine = ({
  columns,
  segments,
  atOnce,
}: LayernormCombineOptions): string => wgsl`
const COLUMNS: u32 = ${columns}u;
const SEGMENTS: u32 = ${segments}u;
const AT_ONCE: u32 = ${atOnce}u;
${flatWorkgroup}
struct Params {
  blocks: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> totals: array<f32, ${columns * segments}>;

@compute @workgroup_size(${columns * segments})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let wanted = flat_workgroup(wid, groups) * COLUMNS + lid.x % COLUMNS;
  let segment = lid.x / COLUMNS;
  let stride = 2u * params.cols;
  let col = min(wanted, stride - 1u);
  var total = 0.0;
  for (var block = segment; block < params.blocks; block += AT_ONCE * SEGMENTS) {
    var loaded: array<f32, AT_ONCE>;
    for (var k = 0u; k < AT_ONCE; k++) {
      loaded[k] = partials[min(block + k * SEGMENTS, params.blocks - 1u) * stride + col];
    }
    for (var k = 0u; k < AT_ONCE; k++) {
      total += select(0.0, loaded[k], block + k * SEGMENTS < params.blocks);
    }
  }
  totals[lid.x] = total;
  workgroupBarrier();
  for (var width = SEGMENTS / 2u; width > 0u; width /= 2u) {
    if (segment < width) {
      totals[lid.x] += totals[lid.x + width * COLUMNS];
    }
    workgroupBarrier();
  }
  if (segment == 0u && wanted < params.cols) {
    dweight[wanted] = totals[lid.x];
  } else if (segment == 0u && wanted < stride) {
    dbias[wanted - params.cols] = totals[lid.x];
  }
}
`;
