/** Risk–coverage and calibration against the oracle, all orders of ties, and the edges. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibration, riskCoverage } from "../../src/neco/metrics/index.ts";
import { f64, metricGoldens } from "./metric-goldens.ts";

const bits = (right: readonly number[]): Uint8Array => Uint8Array.from(right);

describe("against the oracle", () => {
  metricGoldens.answers.forEach(({ confidence, right, ...wanted }, index) => {
    test(`case ${index}: ${right.length} answers`, () => {
      const { aurc, eaurc } = riskCoverage(f64(confidence), bits(right));
      expect(aurc).toBeCloseTo(wanted.aurc, 13);
      expect(eaurc).toBeCloseTo(wanted.eaurc, 13);
      const { ece } = calibration(f64(confidence), bits(right));
      expect(ece).toBeCloseTo(wanted.ece, 13);
      const adaptive = calibration(f64(confidence), bits(right), { by: "mass" });
      expect(adaptive.ece).toBeCloseTo(wanted.ece_adaptive, 13);
    });
  });
});

/** Every order of a list. */
const orders = <T>(list: readonly T[]): T[][] =>
  list.length === 0
    ? [[]]
    : list.flatMap((first, index) =>
        orders([...list.slice(0, index), ...list.slice(index + 1)]).map((rest) => [first, ...rest]),
      );

describe("risk–coverage", () => {
  const answer = fc.record({
    confidence: fc.integer({ min: 0, max: 2 }),
    right: fc.integer({ min: 0, max: 1 }),
  });
  test("ties: the mean over all orders that they allow", () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 6 }), (answers) => {
        const allowed = orders(answers).filter((order) =>
          order.every(
            (one, index) => index === 0 || order[index - 1]!.confidence >= one.confidence,
          ),
        );
        const areas = allowed.map((order) => {
          let errors = 0;
          return order.reduce((sum, { right }, index) => {
            errors += 1 - right;
            return sum + errors / (index + 1) / order.length;
          }, 0);
        });
        const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
        const { aurc } = riskCoverage(
          f64(answers.map(({ confidence }) => confidence)),
          bits(answers.map(({ right }) => right)),
        );
        expect(aurc).toBeCloseTo(mean, 12);
      }),
      { numRuns: 60 },
    );
  });
  test("a perfect order has no excess; the curve ends at the share of errors", () => {
    const { aurc, eaurc, curve } = riskCoverage(f64([4, 3, 2, 1]), bits([1, 1, 1, 0]));
    expect(aurc).toBe(1 / 16);
    expect(eaurc).toBe(0);
    expect([...curve.coverage]).toEqual([0.25, 0.5, 0.75, 1]);
    expect([...curve.risk]).toEqual([0, 0, 0, 0.25]);
  });
  test("all right, all wrong", () => {
    expect(riskCoverage(f64([1, 2]), bits([1, 1]))).toMatchObject({ aurc: 0, eaurc: 0 });
    expect(riskCoverage(f64([1, 2]), bits([0, 0]))).toMatchObject({ aurc: 1, eaurc: 0 });
  });
  test("a curve of many samples has a hundred points; a tie is crossed on a straight line of errors", () => {
    const confidence = f64(Array.from({ length: 1000 }, () => 0.5));
    const { curve } = riskCoverage(confidence, bits(Array.from(confidence, (_, i) => i % 2)));
    expect(curve.coverage.length).toBe(100);
    for (const risk of curve.risk) expect(risk).toBeCloseTo(0.5, 12);
  });
  test("bad input", () => {
    expect(() => riskCoverage(f64([]), bits([]))).toThrow(/at least one sample/);
    expect(() => riskCoverage(f64([1]), bits([1, 0]))).toThrow(/1 confidences, 2 outcomes/);
    expect(() => riskCoverage(f64([1, NaN]), bits([1, 0]))).toThrow(/sample 1 is NaN/);
  });
});

describe("calibration", () => {
  test("bins of equal width close on the right; empty ones are null", () => {
    const { ece, bins } = calibration(f64([0, 0.5, 0.500001, 1]), bits([0, 1, 0, 1]), { bins: 2 });
    expect(bins).toEqual([
      { n: 2, confidence: 0.25, accuracy: 0.5 },
      { n: 2, confidence: expect.closeTo(0.7500005, 12) as number, accuracy: 0.5 },
    ]);
    expect(ece).toBeCloseTo(0.5 * 0.25 + 0.5 * 0.2500005, 12);
    expect(calibration(f64([0.9]), bits([1])).bins[0]).toEqual({
      n: 0,
      confidence: null,
      accuracy: null,
    });
  });
  test("bins of equal mass hold equally many, however the confidences lie", () => {
    const confidence = f64(Array.from({ length: 90 }, (_, i) => (i < 80 ? 0.9 : i / 100)));
    const right = bits(Array.from(confidence, (_, i) => i % 2));
    const { bins, ece } = calibration(confidence, right, { by: "mass" });
    expect(bins.map(({ n }) => n)).toEqual(Array.from({ length: 15 }, () => 6));
    const reversed = calibration(confidence.slice().reverse(), right.slice().reverse(), {
      by: "mass",
    });
    expect(reversed.ece).toBeCloseTo(ece, 14);
  });
  test("fewer samples than bins", () => {
    const { ece, bins } = calibration(f64([0.25, 0.75]), bits([0, 1]), { by: "mass" });
    expect(ece).toBe(0.25);
    expect(bins.reduce((sum, { n }) => sum + n, 0)).toBe(2);
  });
  test("bad input", () => {
    expect(() => calibration(f64([]), bits([]))).toThrow(/at least one sample/);
    expect(() => calibration(f64([0.5, 1.5]), bits([0, 1]))).toThrow(/sample 1 is 1.5/);
    expect(() => calibration(f64([NaN]), bits([0]))).toThrow(/sample 0 is NaN/);
  });
});
