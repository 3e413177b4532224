/** CFOOD: the smallest share of neighbours whose radius around enough reference samples takes the sample in. */
import { DataError } from "../../util/errors.ts";
import { shuffle } from "../../util/random.ts";
import { at } from "../../util/shape.ts";
import { stateArray, stateNumber } from "../arrays.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Calibration, FitContext, NamedArray, Score, ScoreState } from "../score.ts";
import {
  distanceError,
  eachDistance,
  firstAtLeast,
  orderStatistics,
  raysOf,
  squaredDistance,
  unitRows,
} from "../sphere.ts";
import type { Rays } from "../sphere.ts";

const NAME = "cfood";

const parameters = {
  alpha: numeric(0.1, { min: 0, max: 1, grid: [0.1, 0.5, 1] }),
  k: numeric(0.01, { min: 0, max: 1, grid: [0.001, 0.005, 0.01, 0.05] }),
  seed: numeric(0, { min: 0, isInteger: true }),
};

/** numpy's linspace, rounding for rounding: a place is cut off where share · n has just been reached. */
function linspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, k) => (k === count - 1 ? stop : k * step + start));
}

/** Shares of neighbours that are tried, as published. */
const SHARES = [
  ...linspace(0.001, 0.1, 100),
  ...linspace(0.105, 0.5, 81),
  ...linspace(0.51, 0.99, 49),
];

/** The shares that differ among `count` reference samples, and the rank of the neighbour each names. */
export function neighbourGrid(count: number): { shares: number[]; ranks: number[] } {
  const ranks = SHARES.map((share) => Math.trunc(share * count - 1) + 1);
  const differs = (index: number): boolean =>
    index === 0 || at(ranks, index) > at(ranks, index - 1);
  return {
    shares: SHARES.filter((_, index) => differs(index)),
    ranks: ranks.filter((_, index) => differs(index)),
  };
}

/**
 * The training rows that are the reference: ⌊αN⌋ of them (at least 2), drawn by the seed, ascending.
 * @throws DataError if there are fewer than two rows.
 */
export function referenceRows(count: number, alpha: number, seed: number): Uint32Array {
  if (count < 2)
    throw new DataError(`${NAME} needs at least 2 training samples; there are ${count}`);
  return shuffle(count, seed, 0)
    .slice(0, Math.max(2, Math.floor(alpha * count)))
    .sort();
}

/** Float64 as three f32 of which the sum is exact: [3, …]. */
function splitExactly(values: Float64Array): Float32Array {
  const parts = new Float32Array(3 * values.length);
  for (const [index, value] of values.entries()) {
    const hi = Math.fround(value);
    const mid = Math.fround(value - hi);
    parts.set([hi], index);
    parts.set([mid], values.length + index);
    parts.set([value - hi - mid], 2 * values.length + index);
  }
  return parts;
}

/** What {@link splitExactly} was given. */
function joinExactly({ values }: NamedArray): Float64Array {
  const count = values.length / 3;
  return Float64Array.from(
    { length: count },
    (_, index) => at(values, index) + (at(values, count + index) + at(values, 2 * count + index)),
  );
}

/** Collects the reference rows, then measures the radii around each. */
function calibrate(
  { engine, train: { count, dim } }: FitContext,
  params: { readonly alpha: number; readonly k: number; readonly seed: number },
): Calibration {
  const chosen = referenceRows(count, params.alpha, params.seed);
  const bank = new Float32Array(chosen.length * dim);
  let [seen, filled] = [0, 0];
  return {
    async observe(block) {
      const features = await block.hostFeatures();
      for (; filled < chosen.length && at(chosen, filled) < seen + block.rows; filled++) {
        const row = at(chosen, filled) - seen;
        bank.set(features.subarray(row * dim, (row + 1) * dim), filled * dim);
      }
      seen += block.rows;
    },
    async finish() {
      const rays = raysOf(bank, dim);
      const { ranks } = neighbourGrid(chosen.length);
      const radii = new Float64Array(chosen.length * ranks.length);
      const choice = { places: ranks, error: distanceError(dim) };
      const pairs = { rows: rays, bank: rays, units: unitRows(rays) };
      await eachDistance(engine, pairs, (near) => {
        for (let row = near.start; row < near.end; row++) {
          const exact = (other: number): number => squaredDistance(rays, row, rays, other);
          radii.set(orderStatistics(near.of(row), choice, exact), row * ranks.length);
        }
      });
      return {
        arrays: {
          bank: { shape: [chosen.length, dim], values: bank },
          radii: { shape: [3, chosen.length, ranks.length], values: splitExactly(radii) },
        },
        params: { ...params, rows: chosen.length, shares: ranks.length },
        warnings: [],
      };
    },
  };
}

/** The smallest number of reference samples that is at least the share `k` of them. */
function enough(k: number, count: number): number {
  let needed = Math.max(0, Math.floor(k * count) - 1);
  while (needed / count < k) needed++;
  return needed;
}

/** Places in the grid of shares at which single samples are taken in. */
class Places {
  private readonly bank: Rays;
  private readonly radii: Float64Array; // [n · S], ascending along S
  private readonly steps: number; // S
  private readonly needed: number;

  constructor(bank: Rays, state: ScoreState) {
    this.bank = bank;
    this.radii = joinExactly(stateArray(state, "radii"));
    this.steps = at(stateArray(state, "radii").shape, 2);
    this.needed = enough(stateNumber(state, "k"), bank.lengths.length);
  }

  /** The first step of reference sample `index` whose radius is at least `square`; S if none is. */
  private stepOf(index: number, square: number): number {
    const start = index * this.steps;
    return firstAtLeast(this.radii, [start, start + this.steps], square) - start;
  }

  /** The first step that enough reference samples reach. */
  private reached(steps: Uint16Array): number {
    const counts = new Uint32Array(this.steps + 1);
    for (const step of steps) counts[step] = at(counts, step) + 1;
    let [step, total] = [0, at(counts, 0)];
    while (step < this.steps && total < this.needed) total += at(counts, ++step);
    return step;
  }

  /** Where a sample is taken in: distances that leave it open are computed in float64. */
  of(rows: Rays, row: number, near: Float64Array): number {
    const error = distanceError(this.bank.dim);
    const early = new Uint16Array(near.length);
    const late = new Uint16Array(near.length);
    for (const [index, square] of near.entries()) {
      early[index] = this.stepOf(index, square - error);
      late[index] = this.stepOf(index, square + error);
    }
    const [first, last] = [this.reached(early), this.reached(late)];
    if (first === last) return first;
    for (const [index, step] of early.entries())
      if (step < at(late, index) && step <= last && at(late, index) >= first)
        early[index] = this.stepOf(index, squaredDistance(rows, row, this.bank, index));
    return this.reached(early);
  }
}

/**
 * −κ: the smallest share κ of a fixed grid such that at least the share k of the reference samples have
 * their κn-th neighbour no nearer than the sample; 1 if there is none. On the unit sphere, the reference
 * being a part of the training set. The grid makes ties, and they are those of float64.
 */
export const cfood: Score = {
  name: NAME,
  aliases: [],
  title: "CFOOD",
  needs: ["features"],
  parameters,
  fit(context) {
    const params = chooseParameters(NAME, parameters, context.options);
    return Promise.resolve(calibrate(context, params));
  },
  bind(engine, state) {
    const { shape, values } = stateArray(state, "bank");
    const bank = raysOf(values, at(shape, 1));
    const units = unitRows(bank);
    const places = new Places(bank, state);
    const { shares } = neighbourGrid(at(shape, 0));
    return {
      async score(block) {
        const rows = raysOf(await block.hostFeatures(), bank.dim);
        const scores = new Float64Array(block.rows);
        await eachDistance(engine, { rows, bank, units }, (near) => {
          for (let row = near.start; row < near.end; row++)
            scores[row] = -(shares[places.of(rows, row, near.of(row))] ?? 1);
        });
        return scores;
      },
      dispose: () => undefined,
    };
  },
};
