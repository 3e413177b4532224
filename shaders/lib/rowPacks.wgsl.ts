/** Rows whose lanes keep their share in registers: how many packs a lane holds, and which. */
import type { PackWidth } from "./pack.wgsl.ts";
import { pack } from "./pack.wgsl.ts";
import { rowReduce } from "./reduce.wgsl.ts";
import { flatWorkgroup } from "./grid.wgsl.ts";
import { wgsl } from "./wgsl.ts";

/** How a row of `cols` floats lies on its lanes. */
export interface RowPackOptions {
  /** Lanes that share one row. */
  readonly lanes: number;
  /** Lane groups of one workgroup; more than 1 only with subgroups. */
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
  readonly width: PackWidth;
  /** Floats of a row, a multiple of `width`; baked, since it sizes the register arrays. */
  readonly cols: number;
}

/**
 * `ROW_PACKS` packs a row, `LANE_PACKS` of them a lane: pack k of a lane is `column(k, lane)`, and
 * counts where `inside(k, lane)`. Brings `Pack`, `row_sum` and `flat_workgroup` along.
 */
export const rowPacks = (options: RowPackOptions): string => {
  const packs = options.cols / options.width;
  return wgsl`
const ROWS_PER_WORKGROUP: u32 = ${options.rowsPerWorkgroup}u;
const COLS: f32 = ${options.cols};
const ROW_PACKS: u32 = ${packs}u;
const LANE_PACKS: u32 = ${Math.ceil(packs / options.lanes)}u;
${pack(options.width)}
${rowReduce(options)}
${flatWorkgroup}
fn column(k: u32, lane: u32) -> u32 {
  return min(k * ROW_LANES + lane, ROW_PACKS - 1u);
}
#if ${packs % options.lanes === 0}
fn inside(k: u32, lane: u32) -> bool {
  return true;
}
#else
fn inside(k: u32, lane: u32) -> bool {
  return k * ROW_LANES + lane < ROW_PACKS;
}
#endif`;
};
