/** Millions of scores a side: every metric ends in time, without running out of stack or memory, and agrees. */
import { expect, test } from "vitest";
import {
  aurocEstimate,
  bootstrapIntervals,
  calibration,
  delongTest,
  metricsOfRanking,
  placements,
  rank,
  riskCoverage,
  rocCurve,
} from "../../src/neco/metrics/index.ts";
import type { MethodScores } from "../../src/neco/metrics/index.ts";

const N = 2_000_000;
const MINUTES = 60_000; // ms

/** Repeatable numbers, about logistic, cheap to make (a linear congruence). */
function logistic(mean: number, seed: number): Float64Array {
  const values = new Float64Array(N);
  let state = seed;
  for (let index = 0; index < N; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const share = (state + 0.5) / 2 ** 32;
    values[index] = mean + Math.log(share / (1 - share));
  }
  return values;
}

test(
  "figures, intervals and tests of 2 × 10⁶ scores a side",
  () => {
    const a: MethodScores = { id: logistic(1, 1), ood: logistic(0, 2) };
    const ranking = rank(a.id, a.ood);
    const metrics = metricsOfRanking(ranking);
    // Two logistic variables one apart: (e/(e − 1)) · (1 − 1/(e − 1)).
    const truth = (Math.E / (Math.E - 1)) * (1 - 1 / (Math.E - 1));
    expect(metrics.auroc).toBeCloseTo(truth, 3);
    const { se, interval } = aurocEstimate(ranking);
    expect(se).toBeGreaterThan(1e-5);
    const intervals = bootstrapIntervals(ranking, { replicates: 200 });
    const width = interval![1] - interval![0];
    expect(Math.abs((intervals.auroc[1] - intervals.auroc[0]) / width - 1)).toBeLessThan(0.25);
    for (const key of ["fpr_at_95_id_tpr", "fpr_at_95_ood_tpr", "aupr_in", "ap_out"] as const) {
      const [low, high] = intervals[key];
      expect(low, key).toBeLessThan(metrics[key]);
      expect(high, key).toBeGreaterThan(metrics[key]);
      expect(high - low, key).toBeLessThan(6e-3);
    }
    expect(rocCurve(ranking, 100).fpr.length).toBe(100);
    const b: MethodScores = { id: a.id.map(Math.fround), ood: a.ood.map((score) => score - 1e-3) };
    const { difference, p } = delongTest(placements(a), placements(b));
    expect(difference).toBeLessThan(0);
    expect(p).toBeLessThan(1e-6);
  },
  5 * MINUTES,
);

test(
  "risk–coverage and calibration of 2 × 10⁶ answers",
  () => {
    const confidence = logistic(1, 3).map((score) => 1 / (1 + Math.exp(-score)));
    const chance = logistic(0, 4).map((score) => 1 / (1 + Math.exp(-score)));
    const right = Uint8Array.from(confidence, (p, index) => (chance[index]! < p ? 1 : 0));
    // Right with the probability that is claimed: calibrated up to chance.
    expect(calibration(confidence, right).ece).toBeLessThan(2e-3);
    expect(calibration(confidence, right, { by: "mass" }).ece).toBeLessThan(2e-3);
    const { aurc, eaurc } = riskCoverage(confidence, right);
    expect(eaurc).toBeGreaterThan(0);
    expect(aurc).toBeGreaterThan(eaurc);
  },
  5 * MINUTES,
);
