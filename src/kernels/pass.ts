/** Small helpers that plans share: params, bindings, folded grids. */
import type { SweepOptions } from "../../shaders/lib/sweep.wgsl.ts";
import { LimitError } from "../util/errors.ts";
import { ceilDiv, at, sizeOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import type { Binding, Caps, Param, Slot } from "./op.ts";

/** An unsigned word of the params uniform. */
export const u = (value: number): Param => ({ u32: value });
/** A signed word of the params uniform. */
export const i = (value: number): Param => ({ i32: value });
/** A float word of the params uniform. */
export const f = (value: number): Param => ({ f32: value });

/** Read-only bindings of the slots, in order. */
export const reads = (...slots: Slot[]): Binding[] =>
  slots.map((slot) => ({ slot, access: "read" }));
/** Read-write bindings of the slots, in order. */
export const writes = (...slots: Slot[]): Binding[] =>
  slots.map((slot) => ({ slot, access: "read_write" }));
/** Uniform bindings of small step scalars, in order. */
export const uniforms = (...slots: Slot[]): Binding[] =>
  slots.map((slot) => ({ slot, access: "uniform" }));

/** Lanes of a workgroup in kernels that treat elements one by one. */
export const ELEMENT_WORKGROUP = 64;

/**
 * A grid of `workgroups` workgroups, folded into y past the adapter's limit per dimension; shaders
 * read it back as `wid.y * groups.x + wid.x`.
 * @throws LimitError if even two dimensions do not hold it.
 */
export function foldGrid(workgroups: number, caps: Caps): [number, number, number] {
  const count = Math.max(1, workgroups);
  if (count <= caps.maxWorkgroups) return [count, 1, 1];
  const y = ceilDiv(count, caps.maxWorkgroups);
  if (y > caps.maxWorkgroups)
    throw new LimitError(
      `${count} workgroups exceed the adapter's ${caps.maxWorkgroups}²; split the input into smaller batches`,
    );
  return [ceilDiv(count, y), y, 1];
}

/**
 * How sweeps share out their Values. CPUs pay for each workgroup and for each invocation's start:
 * GELU of 4.8 million elements took 0.63 times as long on lavapipe with 256 lanes of 8 Values as with
 * 64 of 4, and of 2.5 million 0.85 times as long again with 64 of 32. GPUs want many short
 * invocations, which hide latency.
 */
const SWEEPS = {
  cpu: { workgroup: 64, each: 32 },
  gpu: { workgroup: ELEMENT_WORKGROUP, each: 1 },
} as const satisfies Record<Caps["adapterClass"], SweepOptions>;

/** How kernels that only go once over arrays share out their Values. */
export const sweepOptions = ({ adapterClass }: Caps): SweepOptions => SWEEPS[adapterClass];

/** The grid of a sweep over so many Values. */
export function sweepGrid(values: number, caps: Caps): [number, number, number] {
  const { workgroup, each } = sweepOptions(caps);
  return foldGrid(ceilDiv(values, workgroup * each), caps);
}

/** Grid for one invocation per element. */
export const elementGrid = (elements: number, caps: Caps): [number, number, number] =>
  foldGrid(ceilDiv(elements, ELEMENT_WORKGROUP), caps);

/** A shape as rows × columns along its last axis; a scalar is one row of one column. */
export function asRows(shape: Shape): { rows: number; cols: number } {
  const cols = shape.length === 0 ? 1 : at(shape, -1);
  return { rows: cols === 0 ? 0 : sizeOf(shape) / cols, cols };
}

/** The one subgroup size that the adapter has, or 0 where it varies or the feature is missing. */
export const fixedSubgroup = (caps: Caps): number =>
  caps.subgroupMin === caps.subgroupMax ? caps.subgroupMin : 0;
