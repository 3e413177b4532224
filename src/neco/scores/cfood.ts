/** CFOOD: the smallest share of neighbours whose radius around enough reference samples takes the sample in. */
import { DataError } from "../../util/errors.ts";
import { shuffle } from "../../util/random.ts";
import { at } from "../../util/shape.ts";
import { stateArray, stateNumber } from "../arrays.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Calibration, FitContext, NamedArray, Score } from "../score.ts";
import { Places } from "../places.ts";
import {
  distanceError,
  eachDistance,
  orderStatistics,
  raysOf,
  squaredDistances,
  unitRows,
} from "../sphere.ts";

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
      await eachDistance(engine, pairs, (row, near) => {
        const exact = (others: readonly number[]): Float64Array =>
          squaredDistances(rays, row, rays, others);
        radii.set(orderStatistics(near, choice, exact), row * ranks.length);
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
    const radii = joinExactly(stateArray(state, "radii"));
    const places = new Places(bank, radii, stateNumber(state, "k"));
    const { shares } = neighbourGrid(at(shape, 0));
    return {
      async score(block) {
        const rows = raysOf(await block.hostFeatures(), bank.dim);
        const scores = new Float64Array(block.rows);
        await eachDistance(engine, { rows, bank, units }, (row, near) => {
          scores[row] = -(shares[places.of(rows, row, near)] ?? 1);
        });
        return scores;
      },
      dispose: () => undefined,
    };
  },
};
