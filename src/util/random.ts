/** Seeded random numbers on the host, in float64: initial values and the order of an epoch. */
import { randomBelow, randomBits, randomKey } from "./philox.ts";
import { at } from "./shape.ts";

/** Which numbers to draw: equal choices give equal numbers, on every machine. */
export interface Draw {
  readonly seed: number;
  /** Tells apart what is drawn from one seed; 0 if not given. */
  readonly stream?: number;
}

/** Stream of {@link shuffle}, apart from those that callers count up from 0. */
const SHUFFLE_STREAM = 0xffff_ffff;
const TWO_TO_32 = 2 ** 32;

/** The words of a stream, one after the other. */
function words({ seed, stream = 0 }: Draw, step = 0): () => number {
  const key = randomKey(seed, step);
  const block = new Uint32Array(4);
  let position = 0;
  return () => {
    const place = position % 4;
    if (place === 0) block.set(randomBits(key, stream, position / 4));
    position++;
    return at(block, place);
  };
}

/** Uniform numbers in [0, 1) with 53 random bits. */
export const generator = (draw: Draw): (() => number) => randomSource(draw).uniform;

/** Numbers of one stream, asked for one by one. */
export interface RandomSource {
  /** In [0, 1), with 53 random bits. */
  readonly uniform: () => number;
  /** A whole number in 0 … limit − 1, each equally likely; the limit is below 2³². */
  readonly below: (limit: number) => number;
}

/** The numbers of a draw as {@link RandomSource}. */
export function randomSource(draw: Draw): RandomSource {
  const next = words(draw);
  return {
    uniform: () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53,
    below: (limit) => below(limit, next),
  };
}

/** `count` numbers, uniform in [low, high). */
export function uniform(
  count: number,
  { low = 0, high = 1, ...draw }: Draw & { readonly low?: number; readonly high?: number },
): Float32Array {
  const next = generator(draw);
  return Float32Array.from({ length: count }, () => low + (high - low) * next());
}

/** Standard normal numbers, by the polar method (Marsaglia, 1964): pairs, no trigonometry. */
function gaussian(draw: Draw): () => number {
  const next = generator(draw);
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    for (;;) {
      const x = 2 * next() - 1;
      const y = 2 * next() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  };
}

/** `count` normal numbers. */
export function normal(
  count: number,
  { mean = 0, std = 1, ...draw }: Draw & { readonly mean?: number; readonly std?: number },
): Float32Array {
  const next = gaussian(draw);
  return Float32Array.from({ length: count }, () => mean + std * next());
}

/** `count` normal numbers within `bound` standard deviations of the mean (2 if not given). */
export function truncatedNormal(
  count: number,
  {
    mean = 0,
    std = 1,
    bound = 2,
    ...draw
  }: Draw & { readonly mean?: number; readonly std?: number; readonly bound?: number },
): Float32Array {
  const next = gaussian(draw);
  const inside = (): number => {
    for (;;) {
      const value = next();
      if (Math.abs(value) <= bound) return value;
    }
  };
  return Float32Array.from({ length: count }, () => mean + std * inside());
}

/** A whole number in 0 … limit − 1, each equally likely (Lemire, 2019). */
function below(limit: number, next: () => number): number {
  const threshold = TWO_TO_32 % limit; // products with less below would favour some numbers
  for (;;) {
    const bits = next();
    if (Math.imul(bits, limit) >>> 0 >= threshold) return randomBelow(bits, limit);
  }
}

/** A permutation of 0 … count − 1 for an epoch (Fisher and Yates). */
export function shuffle(count: number, seed: number, epoch: number): Uint32Array {
  const next = words({ seed, stream: SHUFFLE_STREAM }, epoch);
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const chosen = below(last + 1, next);
    const moved = at(order, chosen);
    order[chosen] = at(order, last);
    order[last] = moved;
  }
  return order;
}
