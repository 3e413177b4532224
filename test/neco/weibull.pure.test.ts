/** Weibull tails: the fit against its own likelihood, and tails that have no shape. */
import { expect, test } from "vitest";
import { fitWeibull, weibullScore } from "../../src/neco/weibull.ts";

const tail = Float64Array.from([2, 2.5, 2.75, 3.5, 4.25]);

test("no other shape or scale makes the tail likelier", () => {
  const fit = fitWeibull(tail)!;
  const logLikelihood = (shape: number, scale: number): number =>
    tail.reduce((sum, value) => {
      const x = (value + 1 - fit.start) / scale;
      return sum + Math.log(shape / scale) + (shape - 1) * Math.log(x) - x ** shape;
    }, 0);
  const best = logLikelihood(fit.shape, fit.scale);
  for (const [up, out] of [
    [1.01, 1],
    [0.99, 1],
    [1, 1.01],
    [1, 0.99],
  ] as const)
    expect(logLikelihood(fit.shape * up, fit.scale * out)).toBeLessThan(best);
});

test("the score grows with the distance, from 0 to 1", () => {
  const fit = fitWeibull(tail)!;
  expect(weibullScore(fit, fit.start - 1)).toBe(0);
  expect(weibullScore(fit, 100)).toBeCloseTo(1, 12);
  expect(weibullScore(fit, 3)).toBeGreaterThan(weibullScore(fit, 2.9));
});

test("distances that differ by rounding alone make no tail", () => {
  expect(fitWeibull(Float64Array.from([3, 3]))).toBeNull();
  expect(fitWeibull(Float64Array.from([3, 3 * (1 + 2 ** -20)]))).toBeNull(); // two samples in f32
  expect(fitWeibull(Float64Array.from([3, 3 * (1 + 2 ** -10)]))).not.toBeNull();
  expect(fitWeibull(Float64Array.from([3]))).toBeNull();
  expect(fitWeibull(new Float64Array(4))).toBeNull();
});
