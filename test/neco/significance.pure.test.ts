/** Average precision, DeLong's variance and test, the bootstrap and what it draws with. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellsOf, cellSteps } from "../../src/neco/metrics/cells.ts";
import {
  auprIn,
  auprOut,
  aurocEstimate,
  averageIntervals,
  bootstrapIntervals,
  bootstrapReplicates,
  delongTest,
  everyMetric,
  metricsOfRanking,
  placements,
  rank,
} from "../../src/neco/metrics/index.ts";
import type { Ranking } from "../../src/neco/metrics/index.ts";
import { binomial, resampler } from "../../src/neco/metrics/multinomial.ts";
import { SampleDraws } from "../../src/neco/metrics/sampleDraws.ts";
import { twoSidedQuantile, twoSidedTail } from "../../src/neco/metrics/normal.ts";
import { metricsOfSteps } from "../../src/neco/metrics/oodMetrics.ts";
import { normal, randomSource } from "../../src/util/random.ts";
import { f64, metricGoldens } from "./metric-goldens.ts";

const scores = (count: number, mean: number, seed: number): Float64Array =>
  Float64Array.from(normal(count, { mean, seed }));
const normals = (ids: number, oods: number): Ranking =>
  rank(scores(ids, 1.3, 1), scores(oods, 0, 2));

describe("the normal distribution against scipy", () => {
  test.each(metricGoldens.tails)("tail beyond $z", ({ z, p }) => {
    expect(Math.abs(twoSidedTail(z) / p - 1)).toBeLessThan(1e-13);
    expect(twoSidedTail(-z)).toBe(twoSidedTail(z));
  });
  test.each(metricGoldens.levels)("quantile of $level", ({ level, z }) => {
    expect(twoSidedQuantile(level)).toBeCloseTo(z, 13);
  });
});

describe("average precision and DeLong against the oracle", () => {
  metricGoldens.ranking.forEach(({ a, b, precision, delong, test: wanted }, index) => {
    const ranking = rank(f64(a.id), f64(a.ood));
    test(`case ${index}: average precision`, () => {
      const options = { averagePrecision: true };
      expect(auprIn(ranking, options)).toBeCloseTo(precision.ap_in, 13);
      expect(auprOut(ranking, options)).toBeCloseTo(precision.ap_out, 13);
    });
    test(`case ${index}: variance of AUROC`, () => {
      const { auroc, se, interval } = aurocEstimate(ranking);
      expect(auroc).toBeCloseTo(delong.auroc, 13);
      expect(se).toBeCloseTo(delong.se, 13);
      expect(interval?.[0]).toBeCloseTo(delong.low, 12);
      expect(interval?.[1]).toBeCloseTo(delong.high, 12);
    });
    test(`case ${index}: test between two methods`, () => {
      const of = ({ id, ood }: typeof a) => placements({ id: f64(id), ood: f64(ood) });
      const { difference, interval, z, p } = delongTest(of(a), of(b));
      expect(difference).toBeCloseTo(wanted.difference, 13);
      expect(interval?.[0]).toBeCloseTo(Math.max(-1, wanted.low), 12);
      expect(interval?.[1]).toBeCloseTo(Math.min(1, wanted.high), 12);
      expect(z).toBeCloseTo(wanted.z, 10);
      expect(p).toBeCloseTo(wanted.p, 12);
      const back = delongTest(of(b), of(a));
      expect([back.difference, back.p]).toEqual([-difference, p]);
    });
  });
});

describe("DeLong at the edges", () => {
  const of = (id: readonly number[], ood: readonly number[]) =>
    placements({ id: f64(id), ood: f64(ood) });
  test("a method against itself", () => {
    const a = of([1, 2, 2], [0, 2, 1]);
    expect(delongTest(a, a)).toEqual({ difference: 0, interval: [0, 0], z: 0, p: 1 });
  });
  test("perfect against perfectly wrong has no variance and no test", () => {
    const { difference, z, p } = delongTest(of([1, 2], [0, 0.5]), of([0, 1], [2, 3]));
    expect([difference, z, p]).toEqual([1, null, null]);
  });
  test("one sample on a side tells no spread", () => {
    expect(aurocEstimate(rank(f64([1]), f64([0, 2])))).toEqual({
      auroc: 0.5,
      se: null,
      interval: null,
    });
    expect(delongTest(of([1], [0, 2]), of([3], [0, 2])).p).toBeNull();
  });
  test("other samples are refused", () => {
    expect(() => delongTest(of([1, 2], [0]), of([1], [0]))).toThrow(
      /2 and 1 of ID, 1 and 1 of OOD/,
    );
  });
});

describe("drawing counts", () => {
  test.each(metricGoldens.binomial)("binomial of $n at $p", ({ n, p, at, cdf }) => {
    const { uniform } = randomSource({ seed: 3 });
    const draws = Float64Array.from({ length: 20_000 }, () => binomial(n, p, uniform));
    at.forEach((bound, index) => {
      const share = draws.filter((drawn) => drawn <= bound).length / draws.length;
      const want = cdf[index]!;
      const deviation = Math.sqrt((want * (1 - want)) / draws.length) + 1e-12;
      expect(Math.abs(share - want) / deviation, `P(≤ ${bound})`).toBeLessThan(4);
    });
  });
  // 4 groups of few samples are drawn one by one, 3 of many by binomials.
  test.each([[[1, 3, 0, 2]], [[500, 1, 1500]]])(
    "resampling %s keeps n, means, variances",
    (counts) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      const drawing = { seed: 5, stream: 0, replicates: 10_000 };
      const draw = resampler(f64(counts), drawing, new SampleDraws());
      const into = new Float64Array(counts.length);
      const rounds = 10_000;
      const sums = counts.map(() => [0, 0]);
      let lost = 0;
      for (let round = 0; round < rounds; round++) {
        draw(into, round);
        if (into.reduce((sum, count) => sum + count, 0) !== total) lost++;
        into.forEach((count, group) => {
          sums[group]![0]! += count / rounds;
          sums[group]![1]! += (count - counts[group]!) ** 2 / rounds;
        });
      }
      expect(lost).toBe(0);
      counts.forEach((count, group) => {
        const variance = count * (1 - count / total);
        expect(Math.abs(sums[group]![0]! - count)).toBeLessThan(
          4 * Math.sqrt(variance / rounds) + 1e-9,
        );
        expect(Math.abs(sums[group]![1]! - variance)).toBeLessThan(0.05 * variance + 1e-9);
      });
    },
  );
});

describe("cells", () => {
  const side = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 30 });
  test("cells of distinct scores give the same figures as the scores", () => {
    fc.assert(
      fc.property(side, side, (id, ood) => {
        const ranking = rank(f64(id), f64(ood));
        expect(metricsOfSteps(cellSteps(cellsOf(ranking)))).toEqual(metricsOfRanking(ranking));
      }),
    );
  });
  test("merged cells hold every sample once, and stay below the limit", () => {
    for (const [ids, oods] of [
      [5000, 20],
      [20, 5000],
      [4000, 4000],
    ] as const) {
      const cells = cellsOf(normals(ids, oods), 256);
      expect(cells.isMerged).toBe(true);
      expect(cells.id.length).toBeLessThanOrEqual(256);
      expect(cells.id.reduce((sum, count) => sum + count, 0)).toBe(ids);
      expect(cells.ood.reduce((sum, count) => sum + count, 0)).toBe(oods);
    }
  });
});

describe("bootstrap", () => {
  test("of few samples: the quantiles of all resamples there are", () => {
    const [id, ood] = [
      [1, 2, 4],
      [0, 1, 3],
    ];
    const areas: number[] = [];
    const triples = Array.from({ length: 27 }, (_, code) => [
      code % 3,
      Math.floor(code / 3) % 3,
      Math.floor(code / 9),
    ]);
    for (const a of triples)
      for (const b of triples) {
        const [x, y] = [a.map((index) => id[index]!), b.map((index) => ood[index]!)];
        areas.push(metricsOfRanking(rank(f64(x), f64(y))).auroc);
      }
    areas.sort((a, b) => a - b);
    const [low, high] = bootstrapIntervals(rank(f64(id), f64(ood)), {
      replicates: 20_000,
      level: 0.8,
    }).auroc;
    expect(low).toBeCloseTo(areas[Math.floor(0.1 * 729)]!, 12);
    expect(high).toBeCloseTo(areas[Math.floor(0.9 * 729)]!, 12);
  });
  test("of a mean over sets: every resample takes the same ID samples in all of them", () => {
    const id = [1, 2, 4];
    const oods = [
      [0, 1, 3],
      [1.5, 3],
    ];
    const picks = (from: readonly number[]): number[][] =>
      Array.from({ length: from.length ** from.length }, (_, code) =>
        from.map((_, place) => from[Math.floor(code / from.length ** place) % from.length]!),
      );
    const areas: number[] = [];
    const area = (x: number[], y: number[]): number => metricsOfRanking(rank(f64(x), f64(y))).auroc;
    for (const x of picks(id))
      for (const y of picks(oods[0]!))
        for (const z of picks(oods[1]!)) areas.push((area(x, y) + area(x, z)) / 2);
    areas.sort((a, b) => a - b);
    const options = { replicates: 40_000, level: 0.8 };
    const drawn = oods.map((ood, set) =>
      bootstrapReplicates(rank(f64(id), f64(ood)), options, set),
    );
    const [low, high] = averageIntervals(drawn, options)!.auroc;
    expect(low).toBeCloseTo(areas[Math.floor(0.1 * areas.length)]!, 12);
    expect(high).toBeCloseTo(areas[Math.floor(0.9 * areas.length)]!, 12);
    expect(averageIntervals([], options)).toBeNull();
    expect(averageIntervals([{ ...drawn[0]!, sharesId: false }], options)).toBeNull();
  });
  test("is as wide as DeLong's interval, and holds every figure", () => {
    const ranking = normals(300, 200);
    const intervals = bootstrapIntervals(ranking);
    const { interval } = aurocEstimate(ranking);
    const width = interval![1] - interval![0];
    expect(Math.abs((intervals.auroc[1] - intervals.auroc[0]) / width - 1)).toBeLessThan(0.1);
    const metrics = metricsOfRanking(ranking);
    everyMetric((key) => {
      expect(intervals[key][0], key).toBeLessThan(metrics[key]);
      expect(intervals[key][1], key).toBeGreaterThan(metrics[key]);
    });
  });
  test("kept draws change nothing", () => {
    const draws = new SampleDraws();
    for (const ranking of [normals(50, 40), normals(50, 40), normals(60, 40)])
      for (const seed of [1, 2])
        expect(bootstrapIntervals(ranking, { seed, draws })).toEqual(
          bootstrapIntervals(ranking, { seed }),
        );
  });
  test("a seed repeats, another one differs", () => {
    const ranking = normals(50, 50);
    const at = (seed: number) => bootstrapIntervals(ranking, { seed, replicates: 200 });
    expect(at(1)).toEqual(at(1));
    expect(at(1)).not.toEqual(at(2));
  });
  test("merging neighbours moves no end by more than 15 % of the width", () => {
    const ranking = normals(6000, 4000);
    const options = { replicates: 400, seed: 4 };
    const whole = bootstrapIntervals(ranking, { ...options, maxCells: 20_000 });
    const merged = bootstrapIntervals(ranking, { ...options, maxCells: 2048 });
    everyMetric((key) => {
      const [low, high] = whole[key];
      // Both are samples of 400 replicates: their own error is 6 % of the width.
      expect(Math.abs(merged[key][0] - low) / (high - low), key).toBeLessThan(0.15);
      expect(Math.abs(merged[key][1] - high) / (high - low), key).toBeLessThan(0.15);
    });
  });
});
