/** Median and spread of measured times. */
import { at } from "./shape.ts";

/** Milliseconds of one call: median and median absolute deviation over the samples. */
export interface Timing {
  readonly median: number;
  readonly mad: number;
  readonly best: number;
  readonly samples: number;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (at(sorted, Math.floor(middle)) + at(sorted, Math.ceil(middle))) / 2;
};

/** Median, spread and best of the samples' times in ms; at least one sample. */
export function summarise(times: readonly number[]): Timing {
  const middle = median(times);
  const mad = median(times.map((value) => Math.abs(value - middle)));
  return { median: middle, mad, best: Math.min(...times), samples: times.length };
}
