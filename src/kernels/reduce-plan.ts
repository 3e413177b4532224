/** Plans of reductions over any axes: one step per group of axes, long ones in two passes. */
import { reduceColumns } from "../../shaders/reduceColumns.wgsl.ts";
import { reduceRows } from "../../shaders/reduceRows.wgsl.ts";
import type { Combination } from "../../shaders/lib/combine.wgsl.ts";
import { at, ceilDiv, meta, sizeOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import { flatWidth } from "./layout.ts";
import type { Caps, Pass, Plan, Slot } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, f, reads, u, writes } from "./pass.ts";
import { rowGrid } from "./rows.ts";
import type { RowLayout } from "./rows.ts";

/** x viewed as [outer, reduce, inner], reduced to [outer, parts, inner]. */
export interface ReduceStep {
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
  readonly parts: number;
}

/** Below this many invocations a column reduction is split into parts, to fill the adapter. */
const COLUMN_INVOCATIONS = 4096;
/** Fewest rows that a part sums, so that the second pass stays the smaller one. */
const MIN_PART_ROWS = 32;
/** The same for rows: wanted segments and fewest elements of each. */
const ROW_SEGMENTS = 512;
const MIN_SEGMENT = 1024;
/** Rows this short are summed by one lane each. */
const SHORT_ROW = 32;

/** Neighbouring axes of one kind, merged; axes of size 1 are left out. */
function axisGroups(shape: Shape, axes: readonly number[]): { reduced: boolean; size: number }[] {
  const groups: { reduced: boolean; size: number }[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const reduced = axes.includes(axis);
    const last = groups.at(-1);
    if (last?.reduced === reduced) last.size *= size;
    else groups.push({ reduced, size });
  });
  return groups;
}

/** How many parts a step is split into; 1 where there is work enough without. */
function partsOf(outer: number, reduce: number, inner: number): number {
  const [lanes, wanted, least] =
    inner === 1
      ? [outer, ROW_SEGMENTS, MIN_SEGMENT]
      : [outer * (inner / flatWidth(inner)), COLUMN_INVOCATIONS, MIN_PART_ROWS];
  const parts = Math.min(ceilDiv(wanted, Math.max(1, lanes)), Math.floor(reduce / least));
  return Math.max(1, parts);
}

/** The reductions that take x [shape] to its sum over `axes`, innermost group first. */
export function reduceSteps(shape: Shape, axes: readonly number[]): ReduceStep[] {
  const groups = axisGroups(shape, axes);
  const steps: ReduceStep[] = [];
  const product = (list: readonly { size: number }[]): number => sizeOf(list.map((g) => g.size));
  for (let index = groups.length - 1; index >= 0; index--) {
    const { reduced, size: reduce } = at(groups, index);
    if (!reduced) continue;
    const outer = product(groups.slice(0, index));
    const inner = product(groups.slice(index + 1));
    groups.splice(index, 1);
    const parts = partsOf(outer, reduce, inner);
    if (parts > 1) {
      steps.push({ outer, reduce, inner, parts }, { outer, reduce: parts, inner, parts: 1 });
    } else steps.push({ outer, reduce, inner, parts });
  }
  return steps.length > 0 ? steps : [{ outer: sizeOf(shape), reduce: 1, inner: 1, parts: 1 }];
}

/** What every pass of a reduction shares. */
export interface Reduction {
  readonly label: string;
  readonly combination: Combination;
  /** Factor of the result; 1/count makes a mean. */
  readonly scale: number;
  readonly layout: RowLayout;
  /** x is stored as f16; partial sums and the result are f32. */
  readonly isHalf?: boolean;
}

function stepPass(
  { outer, reduce, inner, parts }: ReduceStep,
  reduction: Reduction,
  [source, target]: readonly [Slot, Slot],
  caps: Caps,
): Pass {
  const { combination, layout, scale, label, isHalf = false } = reduction;
  const segments = outer * parts;
  const shared = {
    label,
    bindings: [...reads(source), ...writes(target)],
    flops: outer * reduce * inner,
    bytes: inner * ((isHalf ? 2 : 4) * outer * reduce + 4 * segments),
  };
  if (inner === 1 && reduce >= SHORT_ROW) {
    const width = flatWidth(reduce);
    const [length, partLength] = [reduce / width, ceilDiv(reduce / width, parts)];
    return {
      ...shared,
      code: reduceRows({ combination, width, isHalf, ...layout }),
      params: [u(segments), u(parts), u(length), u(partLength), f(scale)],
      grid: rowGrid(segments, layout, caps),
    };
  }
  const width = flatWidth(inner);
  const count = (segments * inner) / width;
  return {
    ...shared,
    code: reduceColumns({ combination, width, isHalf, workgroup: ELEMENT_WORKGROUP }),
    params: [u(count), u(inner / width), u(parts), u(reduce), u(ceilDiv(reduce, parts)), f(scale)],
    grid: elementGrid(count, caps),
  };
}

/** Where a reduction reads and writes when it is one part of a plan; by default it is the whole. */
export interface ReducePlace {
  readonly source: Slot;
  readonly target: Slot;
  /** Temps of the plan before this reduction's own. */
  readonly temps: number;
}
const WHOLE: ReducePlace = { source: "in0", target: "out0", temps: 0 };

/** The plan of a reduction over `axes`; its temps are only its own. */
export function reducePlan(
  shape: Shape,
  axes: readonly number[],
  reduction: Reduction,
  caps: Caps,
  place = WHOLE,
): Plan {
  const steps = reduceSteps(shape, axes);
  const last = steps.length - 1;
  const temps = steps.slice(0, last).map(({ outer, parts, inner }) => meta([outer, parts, inner]));
  const passes = steps.map((step, index) => {
    const source: Slot = index === 0 ? place.source : `temp${place.temps + index - 1}`;
    const target: Slot = index === last ? place.target : `temp${place.temps + index}`;
    const scale = index === last ? reduction.scale : 1;
    const isHalf = index === 0 && reduction.isHalf === true;
    return stepPass(step, { ...reduction, scale, isHalf }, [source, target], caps);
  });
  return { temps, passes };
}
