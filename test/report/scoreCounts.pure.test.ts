/** What stands for the scores in figures: counts and curves that lose nobody and stay small. */
import { expect, test } from "vitest";
import { binCounts, distributionsOf, rocCurve } from "../../src/report/scoreCounts.ts";
import { density } from "../../src/report/distributions.ts";

test("histogram has unit area and clamps the far ends", () => {
  const counts = binCounts([-5, 0.1, 0.2, 0.9, 7], { low: 0, high: 1, bins: 4 });
  expect(counts).toEqual([3, 0, 0, 2]);
  const heights = density(counts, { low: 0, high: 1 });
  expect(heights.reduce((sum, height) => sum + height / 4, 0)).toBeCloseTo(1, 12);
  expect(heights[0]).toBeCloseTo((3 / 5) * 4, 12);
});

test("ROC merges ties and ends at (1, 1)", () => {
  const { ood_kept, id_kept } = rocCurve(Float64Array.of(2, 2, 3), Float64Array.of(1, 2));
  expect(ood_kept).toEqual([0, 0, 0.5, 1]);
  expect(id_kept).toEqual([0, 0.3333, 1, 1]);
});

test("ROC of NaN scores ends", () => {
  const roc = rocCurve(Float64Array.of(Number.NaN), Float64Array.of(1));
  expect(roc.id_kept.length).toBeGreaterThan(0);
});

test("distributions: every sample in a bin, far ones in the end bins, bounded in size", () => {
  const id = Float64Array.from({ length: 50_000 }, (_, index) => Math.sin(index));
  const ood = Float64Array.from({ length: 2_000 }, (_, index) => 3 + Math.cos(index));
  ood[7] = -1e9;
  const found = distributionsOf({
    "neco/id": id,
    "neco/a/b": ood,
    "neco/x/id": [1, 2],
    "neco/none": [],
    "msp/id": id,
  });
  expect(Object.keys(found)).toEqual(["neco", "msp"]);
  expect(Object.keys(found["neco"]!)).toEqual(["a/b", "x/id"]);
  const { low, high, id: known, ood: unknown, roc } = found["neco"]!["a/b"]!;
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  expect([sum(known), sum(unknown)]).toEqual([50_000, 2_000]);
  expect(low).toBeGreaterThan(-1.01);
  expect(high).toBeCloseTo(4, 2);
  expect([known.length, unknown.length]).toEqual([100, 100]);
  expect(roc.id_kept.length).toBeLessThanOrEqual(102);
  expect([roc.ood_kept.at(-1), roc.id_kept.at(-1)]).toEqual([1, 1]);
});

test("the range of a histogram is the middle 99.8 % of both sets", () => {
  const all = Array.from({ length: 2001 }, (_, index) => index);
  const even = all.filter((value) => value % 2 === 0);
  const odd = all.filter((value) => value % 2 === 1);
  const { low, high } = distributionsOf({ "m/id": even, "m/s": odd })["m"]!["s"]!;
  expect([low, high]).toEqual([2, 1998]);
});
