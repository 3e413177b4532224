/** Weibull distributions of the largest distances to a class: the tails that OpenMax reads. */
import { at } from "../util/shape.ts";

/** 1 − exp(−((x + 1 − start)/scale)^shape), as LibMR places it. */
export interface WeibullTail {
  readonly shape: number;
  readonly scale: number;
  /** The smallest distance of the tail, which LibMR moves to 1. */
  readonly start: number;
}

/**
 * Tails within this share of their largest distance have no shape: two samples are as far from their
 * mean as each other, and what f32 makes of that would decide between "never far" and "always far".
 */
const ROUNDING = 1e-5;
const STEPS = 200; // halvings and doublings settle the shape to the last bit

/**
 * The maximum-likelihood Weibull of a tail moved so that its smallest value is 1, by bisection of
 * Σ x^k log x / Σ x^k − 1/k − mean log x, which grows with the shape k.
 * @returns null if no two values differ by more than rounding.
 */
export function fitWeibull(tail: Float64Array): WeibullTail | null {
  const start = tail.reduce((least, value) => Math.min(least, value), Infinity);
  const end = tail.reduce((most, value) => Math.max(most, value), 0);
  if (!(end - start > ROUNDING * end)) return null;
  const logs = tail.map((value) => Math.log(value + 1 - start));
  const largest = Math.log(end + 1 - start);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const excess = (shape: number): number => {
    let weights = 0;
    let weighted = 0;
    for (const log of logs) {
      const weight = Math.exp(shape * (log - largest));
      weights += weight;
      weighted += weight * log;
    }
    return weighted / weights - 1 / shape - mean;
  };
  let low = 0;
  let high = 1;
  while (excess(high) < 0) [low, high] = [high, 2 * high];
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (excess(middle) < 0) low = middle;
    else high = middle;
  }
  const shape = (low + high) / 2;
  const power = logs.reduce((sum, log) => sum + Math.exp(shape * (log - largest)), 0) / logs.length;
  return { shape, scale: Math.exp(largest + Math.log(power) / shape), start };
}

/** How surely a distance lies beyond the tail: LibMR's w-score, in [0, 1]. */
export function weibullScore({ shape, scale, start }: WeibullTail, distance: number): number {
  const moved = distance + 1 - start;
  return moved > 0 ? -Math.expm1(-((moved / scale) ** shape)) : 0;
}

/** Keeps the `count` largest of the values that are added. */
export class LargestValues {
  private readonly kept: number[] = [];
  private readonly count: number;

  /** Starts empty. */
  constructor(count: number) {
    this.count = count;
  }

  /** Adds a value. */
  add(value: number): void {
    const { kept, count } = this;
    if (kept.length === count && value <= at(kept, 0)) return;
    kept.push(value);
    kept.sort((a, b) => a - b);
    if (kept.length > count) kept.shift();
  }

  /** The values so far, ascending. */
  values(): Float64Array {
    return Float64Array.from(this.kept);
  }
}
