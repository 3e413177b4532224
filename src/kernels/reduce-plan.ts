/** Plans of reductions over any axes: one step per group of axes, long ones in two passes. */
import { reduceColumns } from "../../shaders/reduceColumns.wgsl.ts";
import { reduceRows } from "../../shaders/reduceRows.wgsl.ts";
import type { Combination } from "../../shaders/lib/combine.wgsl.ts";
import { at, ceilDiv, meta, sizeOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import { flatWidth } from "./layout.ts";
import { need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Pass, Plan, Slot, Variant } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, f, reads, u, writes } from "./pass.ts";
import { isShared, sharedParts, sharedPass, valuesOf, SHARED_WORKGROUP } from "./reduce-shared.ts";
import type { Middle } from "./reduce-shared.ts";
import { rowGrid, rowLayout, rowVariants } from "./rows.ts";
import type { RowLayout } from "./rows.ts";

/** x viewed as [outer, reduce, inner], reduced to [outer, parts, inner]. */
export interface ReduceStep extends Middle {
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
function partsOf(step: Middle, sharesColumns: boolean): number {
  if (sharesColumns && isShared(step)) return sharedParts(step);
  const { outer, reduce, inner } = step;
  const [lanes, wanted, least] =
    inner === 1
      ? [outer, ROW_SEGMENTS, MIN_SEGMENT]
      : [outer * valuesOf(inner), COLUMN_INVOCATIONS, MIN_PART_ROWS];
  const parts = Math.min(ceilDiv(wanted, Math.max(1, lanes)), Math.floor(reduce / least));
  return Math.max(1, parts);
}

/** The reductions that take x [shape] to its sum over `axes`, innermost group first. */
export function reduceSteps(
  shape: Shape,
  axes: readonly number[],
  sharesColumns = false,
): ReduceStep[] {
  const groups = axisGroups(shape, axes);
  const steps: ReduceStep[] = [];
  const product = (list: readonly { size: number }[]): number => sizeOf(list.map((g) => g.size));
  for (let index = groups.length - 1; index >= 0; index--) {
    const { reduced, size: reduce } = at(groups, index);
    if (!reduced) continue;
    const outer = product(groups.slice(0, index));
    const inner = product(groups.slice(index + 1));
    groups.splice(index, 1);
    const parts = partsOf({ outer, reduce, inner }, sharesColumns);
    if (parts > 1) {
      steps.push({ outer, reduce, inner, parts }, { outer, reduce: parts, inner, parts: 1 });
    } else steps.push({ outer, reduce, inner, parts });
  }
  return steps.length > 0 ? steps : [{ outer: sizeOf(shape), reduce: 1, inner: 1, parts: 1 }];
}

/** How rows are shared out, and whether the lanes of a workgroup share columns. */
export interface ReduceLayout extends RowLayout {
  readonly sharesColumns: boolean;
}

/** What every pass of a reduction shares. */
export interface Reduction {
  readonly label: string;
  readonly combination: Combination;
  /** Factor of the result; 1/count makes a mean. */
  readonly scale: number;
  readonly layout: ReduceLayout;
  /** x is stored as f16; partial sums and the result are f32. */
  readonly isHalf?: boolean;
}

function stepPass(
  step: ReduceStep,
  reduction: Reduction,
  [source, target]: readonly [Slot, Slot],
  caps: Caps,
): Pass {
  const { outer, reduce, inner, parts } = step;
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
    const { lanes, rowsPerWorkgroup, subgroup } = layout;
    return {
      ...shared,
      code: reduceRows({ combination, width, isHalf, lanes, rowsPerWorkgroup, subgroup }),
      params: [u(segments), u(parts), u(length), u(partLength), f(scale)],
      grid: rowGrid(segments, layout, caps),
    };
  }
  const width = flatWidth(inner);
  const columns = valuesOf(inner);
  const walk = [u(columns), u(parts), u(reduce), u(ceilDiv(reduce, parts)), f(scale)];
  if (layout.sharesColumns && isShared(step))
    return { ...shared, ...sharedPass(step, segments, { combination, isHalf, walk }, caps) };
  const count = segments * columns;
  return {
    ...shared,
    code: reduceColumns({ combination, width, isHalf, workgroup: ELEMENT_WORKGROUP }),
    params: [u(count), ...walk],
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
  const steps = reduceSteps(shape, axes, reduction.layout.sharesColumns);
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

/** How one reduction is planned for one layout. */
type PlanReduction<A extends Attrs> = (
  layout: ReduceLayout,
  inputs: InputMetas,
  attrs: A,
  caps: Caps,
) => Plan;

/**
 * The variants of a reduction of input 0 over `axesOf`: rows as in {@link rowVariants}, with columns
 * one lane each, and `sharedColumns`, where the lanes of a workgroup share them through its memory.
 */
export function reduceVariants<A extends Attrs>(
  axesOf: (inputs: InputMetas, attrs: A) => readonly number[],
  plan: PlanReduction<A>,
): Record<"rowPerSubgroup" | "rowPerWorkgroup" | "sharedColumns", Variant<A>> {
  const { rowPerSubgroup, rowPerWorkgroup } = rowVariants<A>((layout, ...call) =>
    plan({ ...layout, sharesColumns: false }, ...call),
  );
  const sharedColumns: Variant<A> = {
    usable: (inputs, attrs, { maxInvocations }) =>
      maxInvocations >= SHARED_WORKGROUP &&
      reduceSteps(need(inputs, 0).shape, axesOf(inputs, attrs), true).some(isShared),
    plan: (inputs, attrs, caps) =>
      plan({ ...rowLayout(caps), sharesColumns: true }, inputs, attrs, caps),
  };
  return { rowPerSubgroup, rowPerWorkgroup, sharedColumns };
}

/** Default picks: software adapters pay for barriers, GPUs for lanes that wait alone. */
export const PREFER_REDUCTION = { gpu: ["sharedColumns"] } as const;
