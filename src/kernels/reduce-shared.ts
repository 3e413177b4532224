/** Reductions of a middle axis for GPUs: when workgroups share columns, and in how many parts. */
import { reduceSharedColumns } from "../../shaders/reduceSharedColumns.wgsl.ts";
import type { Combination } from "../../shaders/lib/combine.wgsl.ts";
import { ceilDiv } from "../util/shape.ts";
import { flatWidth } from "./layout.ts";
import type { Caps, Param, Pass } from "./op.ts";
import { foldGrid, u } from "./pass.ts";

/** x viewed as [outer, reduce, inner], to be reduced along its middle. */
export interface Middle {
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

/** Lanes of a workgroup that shares columns, and most Values that it takes: 256 B of f32 rows. */
export const SHARED_WORKGROUP = 256;
const MAX_ACROSS = 16;
/** Fewer rows are one lane's. */
const MIN_SHARED_ROWS = 8;
/**
 * With so many columns a lane each fills a GPU: 3 TB/s for 0.6 µs of latency are 1.8 MB on their
 * way, two loads of 16 B for each of 65,536 lanes.
 */
const MAX_SHARED_LANES = 65_536;
/** Workgroups of 256 lanes that a large GPU holds at once: 8 on each of 132 multiprocessors. */
const SHARED_WORKGROUPS = 1_056;
/** Rows that a lane of a part loads at once: fewer make the second pass longer, not the first shorter. */
const MIN_LANE_ROWS = 4;
/** Most parts: 16 of a lane of the second pass, which waits for memory 4 times. */
const MAX_SHARED_PARTS = 256;

/** Columns of a step in Values. */
export const valuesOf = (inner: number): number => inner / flatWidth(inner);

/** How a workgroup's lanes lie: no more of them side by side than there are columns. */
function sharedLanes(inner: number): { lanesAcross: number; lanesDown: number } {
  let lanesAcross = 1;
  while (lanesAcross < Math.min(MAX_ACROSS, valuesOf(inner))) lanesAcross *= 2;
  return { lanesAcross, lanesDown: SHARED_WORKGROUP / lanesAcross };
}

/** Whether lanes of a workgroup share the columns of a step, where the variant does so at all. */
export function isShared({ outer, reduce, inner }: Middle): boolean {
  const lanes = outer * valuesOf(inner); // if each took a column alone
  return inner > 1 && reduce >= MIN_SHARED_ROWS && lanes > 0 && lanes < MAX_SHARED_LANES;
}

/** How many parts a step with shared columns is split into. */
export function sharedParts({ outer, reduce, inner }: Middle): number {
  const { lanesAcross, lanesDown } = sharedLanes(inner);
  const blocks = outer * ceilDiv(valuesOf(inner), lanesAcross);
  const wanted = Math.min(MAX_SHARED_PARTS, ceilDiv(SHARED_WORKGROUPS, Math.max(1, blocks)));
  return Math.max(1, Math.min(wanted, Math.floor(reduce / (MIN_LANE_ROWS * lanesDown))));
}

/** What a pass with shared columns takes from its reduction. */
export interface SharedReduction {
  readonly combination: Combination;
  readonly isHalf: boolean;
  /** Params from `columns` on, which all column kernels share. */
  readonly walk: readonly Param[];
}

/** Kernel, params and grid of a step with shared columns, for so many parts of outer rows. */
export function sharedPass(
  { inner }: Middle,
  segments: number,
  { combination, isHalf, walk }: SharedReduction,
  caps: Caps,
): Pick<Pass, "code" | "params" | "grid"> {
  const lanes = sharedLanes(inner);
  const blocks = ceilDiv(valuesOf(inner), lanes.lanesAcross);
  return {
    code: reduceSharedColumns({ combination, isHalf, width: flatWidth(inner), ...lanes }),
    params: [u(segments), u(blocks), ...walk],
    grid: foldGrid(segments * blocks, caps),
  };
}
