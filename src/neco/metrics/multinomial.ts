/** Draws how often each group of equal samples comes up when as many samples are drawn with replacement. */
import { at } from "../../util/shape.ts";
import { randomSource } from "../../util/random.ts";
import type { RandomSource } from "../../util/random.ts";
import type { DrawnSamples, Drawing, SampleDraws } from "./sampleDraws.ts";

/** Writes the counts of a replicate, one after the other; their sum is the number of samples. */
export type Resampler = (into: Float64Array, replicate: number) => void;

/** Samples up to which drawing them one by one costs no more than binomials of thousands of groups. */
const FEW = 32_768;

const totalOf = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

/**
 * Whether samples are drawn one by one: then a random source picks the same ones, counted in the order
 * of the groups, however they are grouped.
 */
export const drawsOneByOne = (counts: Float64Array): boolean => totalOf(counts) <= FEW;

/** Multinomial counts with n = Σ counts and probabilities counts / n. */
export function resampler(counts: Float64Array, drawing: Drawing, draws: SampleDraws): Resampler {
  const total = totalOf(counts);
  return drawsOneByOne(counts)
    ? byDraws(counts, draws.of(drawing, total))
    : byBinomials(counts, total, randomSource(drawing));
}

/** Adds up the samples of each group, which lie side by side. */
const byDraws =
  (counts: Float64Array, draws: DrawnSamples): Resampler =>
  (into, replicate) => {
    const drawn = draws(replicate);
    let sample = 0;
    for (let group = 0; group < counts.length; group++) {
      const end = sample + at(counts, group);
      let sum = 0;
      for (; sample < end; sample++) sum += at(drawn, sample);
      into[group] = sum;
    }
  };

/** Group after group: binomial among the samples that are left, given those before. */
function byBinomials(counts: Float64Array, total: number, { uniform }: RandomSource): Resampler {
  return (into) => {
    let drawsLeft = total;
    let samplesLeft = total;
    counts.forEach((count, group) => {
      const isLast = count === samplesLeft;
      const drawn = isLast ? drawsLeft : binomial(drawsLeft, count / samplesLeft, uniform);
      into[group] = drawn;
      drawsLeft -= drawn;
      samplesLeft -= count;
    });
  };
}

/** Mean from which rejection is cheaper than adding up probabilities. */
const SMALL_MEAN = 10;

/** The number of successes in n trials of probability p. */
export function binomial(n: number, p: number, uniform: () => number): number {
  if (p > 0.5) return n - binomial(n, 1 - p, uniform);
  if (n === 0 || p === 0) return 0;
  return n * p < SMALL_MEAN ? byInversion(n, p, uniform) : byRejection(n, p, uniform);
}

/** Walks up the distribution until it has passed a uniform number. */
function byInversion(n: number, p: number, uniform: () => number): number {
  const odds = p / (1 - p);
  const none = Math.exp(n * Math.log1p(-p));
  for (;;) {
    let rest = uniform();
    let probability = none;
    for (let k = 0; k <= n; k++) {
      if (rest < probability) return k;
      rest -= probability;
      probability *= (odds * (n - k)) / (k + 1);
    }
    // Rounding left a rest beyond the last probability: draw again.
  }
}

/** Transformed rejection with squeeze (Hörmann, 1993, algorithm BTRS), for p ≤ ½ and n · p ≥ 10. */
function byRejection(n: number, p: number, uniform: () => number): number {
  const deviation = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const centre = n * p + 0.5;
  const squeeze = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((n + 1) * p);
  const logOdds = Math.log(p / (1 - p));
  const atMode = logFactorial(mode) + logFactorial(n - mode);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const edge = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / edge + b) * u + centre);
    if (edge >= 0.07 && v <= squeeze) return k;
    if (k < 0 || k > n) continue;
    const ratio = atMode - logFactorial(k) - logFactorial(n - k) + (k - mode) * logOdds;
    if (Math.log((v * alpha) / (a / (edge * edge) + b)) <= ratio) return k;
  }
}

const TABLE = 16;
const LOG_FACTORIALS = Float64Array.from({ length: TABLE }, (_, k) => {
  let product = 1;
  for (let factor = 2; factor <= k; factor++) product *= factor;
  return Math.log(product);
});

/** log k!, above the table by Stirling's series: its first term left out is below 1e-13. */
function logFactorial(k: number): number {
  const known = LOG_FACTORIALS[k];
  if (known !== undefined) return known;
  const x = k + 1;
  const inverse = 1 / x;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}
