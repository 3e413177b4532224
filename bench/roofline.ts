/** The roofline: what an adapter's peaks allow a kernel at best. Pure. */

/** Operations and bytes of a call. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** An adapter's peaks. */
export interface Roof {
  /** GFLOP/s. */
  readonly fma: number;
  /** GB/s, read plus written. */
  readonly copy: number;
}

/** What a call runs into first. */
export type Bound = "compute" | "memory";

/** Operations per byte; infinite where no bytes are counted. */
export const intensity = ({ flops, bytes }: Cost): number =>
  bytes > 0 ? flops / bytes : flops > 0 ? Infinity : 0;

/** The highest rate at an intensity: min(FMA peak, intensity × copy peak), GFLOP/s. */
export const attainable = (flopsPerByte: number, { fma, copy }: Roof): number =>
  Math.min(fma, flopsPerByte * copy);

/** What bounds a call, or null where nothing is counted. */
export function boundOf(cost: Cost, { fma, copy }: Roof): Bound | null {
  if (cost.flops === 0 && cost.bytes === 0) return null;
  return cost.flops / fma > cost.bytes / copy ? "compute" : "memory";
}

/**
 * The rate as part of what the roof allows; the same as least time over measured time, so that calls
 * without operations (copies) are held against the copy peak.
 */
export const fractionOfRoof = ({ flops, bytes }: Cost, ms: number, { fma, copy }: Roof): number =>
  Math.max(flops / fma, bytes / copy) / (ms * 1e6);
