/** Ranking metrics against sklearn and against brute force, ties included. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accuracy,
  auroc,
  averageMetrics,
  fprAt95IdTpr,
  fprAt95OodTpr,
  oodMetrics,
  rank,
  rocCurve,
  thresholdAtRecall,
} from "../../src/neco/metrics/index.ts";
import type { MetricKey, OodMetrics } from "../../src/neco/metrics/index.ts";

interface MetricGolden {
  readonly id: readonly number[];
  readonly ood: readonly number[];
  readonly expected: OodMetrics;
}

const golden = JSON.parse(
  readFileSync(new URL("../golden/neco.json", import.meta.url), "utf8"),
) as { readonly metrics: readonly MetricGolden[] };
const f64 = (values: readonly number[]): Float64Array => Float64Array.from(values);
const upTo = (count: number): Float64Array => Float64Array.from({ length: count }, (_, i) => i + 1);

describe("metrics against sklearn", () => {
  golden.metrics.forEach(({ id, ood, expected }, index) => {
    test(`case ${index}: ${id.length} ID, ${ood.length} OOD`, () => {
      const got = oodMetrics(f64(id), f64(ood));
      for (const key of Object.keys(expected) as MetricKey[])
        expect(got[key], key).toBeCloseTo(expected[key], 12);
    });
  });
});

describe("metrics by hand", () => {
  test("ID = OOD = 1…100: threshold 6, 95 % of OOD kept, AUROC ½", () => {
    const ranking = rank(upTo(100), upTo(100));
    expect(thresholdAtRecall(ranking.id)).toBe(6);
    expect(fprAt95IdTpr(ranking)).toBe(0.95);
    expect(auroc(ranking)).toBe(0.5);
  });
  test("perfect separation", () => {
    expect(oodMetrics(f64([2, 3, 4]), f64([0, 1]))).toEqual({
      auroc: 1,
      fpr_at_95_id_tpr: 0,
      fpr_at_95_ood_tpr: 0,
      aupr_in: 1,
      aupr_out: 1,
      ap_in: 1,
      ap_out: 1,
    });
  });
  test("the two FPRs differ", () => {
    // One OOD sample of 20 scores above everything: forgiven by the OOD convention (95 % found).
    const id = upTo(20);
    const ood = f64([...Array.from({ length: 19 }, () => 0), 99]);
    expect(fprAt95OodTpr(rank(id, ood))).toBe(0);
    expect(fprAt95IdTpr(rank(id, ood))).toBe(1 / 20);
  });
  test("a single ID sample is its own threshold", () => {
    expect(thresholdAtRecall(f64([7]))).toBe(7);
  });
  test("f32 scores and f64 scores of the same values agree", () => {
    const id = [0.5, 0.25, 1.5];
    const ood = [0.25, -3];
    expect(oodMetrics(Float32Array.from(id), Float32Array.from(ood))).toEqual(
      oodMetrics(f64(id), f64(ood)),
    );
  });
  test("accuracy", () => {
    expect(accuracy([1, 2, 3, 4], [1, 2, 0, 0])).toBe(0.5);
  });
  test("averages are unweighted", () => {
    const one = oodMetrics(f64([1, 2]), f64([0]));
    const two = oodMetrics(f64([1, 2]), f64([3, 4]));
    expect(averageMetrics([one, two]).auroc).toBe(0.5);
  });
});

describe("metrics, properties", () => {
  const scores = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 40 });
  test("AUROC equals the count over all pairs", () => {
    fc.assert(
      fc.property(scores, scores, (id, ood) => {
        let won = 0;
        for (const a of id) for (const b of ood) won += a > b ? 1 : a === b ? 0.5 : 0;
        expect(auroc(rank(f64(id), f64(ood)))).toBeCloseTo(won / (id.length * ood.length), 12);
      }),
    );
  });
  test("swapping the sides mirrors AUROC", () => {
    fc.assert(
      fc.property(scores, scores, (id, ood) => {
        const there = auroc(rank(f64(id), f64(ood)));
        expect(there + auroc(rank(f64(ood), f64(id)))).toBeCloseTo(1, 12);
      }),
    );
  });
  test("the ROC curve climbs from (0, 0) to (1, 1) and encloses the AUROC", () => {
    fc.assert(
      fc.property(scores, scores, (id, ood) => {
        const ranking = rank(f64(id), f64(ood));
        const { fpr, tpr } = rocCurve(ranking);
        let area = 0;
        for (let p = 1; p < fpr.length; p++) {
          expect(fpr[p]).toBeGreaterThanOrEqual(fpr[p - 1]!);
          area += ((fpr[p]! - fpr[p - 1]!) * (tpr[p]! + tpr[p - 1]!)) / 2;
        }
        expect([fpr[0], tpr[0], fpr.at(-1), tpr.at(-1)]).toEqual([0, 0, 1, 1]);
        expect(area).toBeCloseTo(auroc(ranking), 12);
      }),
    );
  });
});

describe("metrics, size and errors", () => {
  test("2 × 10⁶ scores take seconds, and a thinned curve keeps its ends", () => {
    const many = (seed: number): Float64Array =>
      Float64Array.from({ length: 1_000_000 }, (_, i) => Math.sin(i * 1.618 + seed) + seed);
    const ranking = rank(many(0.2), many(0));
    expect(auroc(ranking)).toBeGreaterThan(0.5);
    const { fpr } = rocCurve(ranking, 100);
    expect([fpr.length, fpr[0], fpr.at(-1)]).toEqual([100, 0, 1]);
  }, 20_000);
  test("an empty side", () => {
    expect(() => rank(f64([1]), f64([]))).toThrow(/the OOD set is empty/);
    expect(() => rank(f64([]), f64([1]))).toThrow(/the ID set is empty/);
  });
  test("NaN and Inf are counted and placed", () => {
    expect(() => rank(f64([1, NaN, Infinity]), f64([1]))).toThrow(
      /2 of 3 ID scores are NaN or infinite, the first at index 1/,
    );
  });
  test("accuracy wants one label each", () => {
    expect(() => accuracy([1], [1, 2])).toThrow(/one label per prediction; got 1 predictions, 2/);
    expect(() => accuracy([], [])).toThrow(/at least one sample/);
  });
});
