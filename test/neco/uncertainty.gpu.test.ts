/** What an evaluation says of its own certainty, and of sets that should not have been the same. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import { delongTest, evaluateOod, placements } from "../../src/neco/index.ts";
import type { EvaluateInput, MetricKey } from "../../src/neco/index.ts";
import { openRegime } from "./regimes.ts";
import type { RegimeData } from "./regimes.ts";

let engine: Engine;
let plain: RegimeData;
beforeAll(async () => {
  engine = await createEngine();
  plain = await openRegime("plain");
});
afterAll(() => {
  engine.destroy();
});

const base = (): EvaluateInput => ({
  engine,
  train: plain.train,
  id: plain.test,
  head: plain.head,
  ood: [{ source: plain.near, group: "near" }],
});

describe("an evaluation", () => {
  test("uncertainty: intervals, DeLong's tests, selective risk and calibration", async () => {
    const { json, scores } = await evaluateOod({
      ...base(),
      methods: ["msp", "energy"],
      bootstrap: { replicates: 200, seed: 3 },
      delong: "MSP",
    });
    const { msp, energy } = json.results;
    const near = energy!.sets["near"]!;
    for (const [key, [low, high]] of Object.entries(near.intervals!)) {
      expect(low, key).toBeLessThanOrEqual(near[key as MetricKey]);
      expect(high, key).toBeGreaterThanOrEqual(near[key as MetricKey]);
    }
    // One set is its own average.
    expect(energy!.near!.intervals).toEqual(near.intervals);
    expect(energy!.average!.intervals).toEqual(near.intervals);
    const of = (method: string) =>
      placements({ id: scores[`${method}/id`]!, ood: scores[`${method}/near`]! });
    expect(near.delong).toEqual({
      reference: "msp",
      ...delongTest(of("energy"), of("msp")),
    });
    expect(near.delong!.difference).toBeCloseTo(near.auroc - msp!.sets["near"]!.auroc, 12);
    expect(msp!.sets["near"]!.delong).toBeUndefined();
    expect(json.config).toMatchObject({ bootstrap: 200, bootstrap_seed: 3, delong: "MSP" });
    const { id } = json;
    expect(id.ece).toBeGreaterThan(0);
    expect(id.reliability!.reduce((sum, { n }) => sum + n, 0)).toBe(id.n);
    expect(id.risk_coverage!.risk["msp"]!.at(-1)).toBeCloseTo(1 - id.accuracy!, 6);
    expect(near.selective!.aurc).toBeGreaterThan(energy!.selective!.aurc);
  });
  test("a reference that is not among the methods, or cannot be fitted", async () => {
    const input = { ...base(), methods: ["msp"] };
    await expect(evaluateOod({ ...input, delong: "vim" })).rejects.toThrow(
      /--delong vim is not among the methods/,
    );
    await expect(evaluateOod({ ...input, delong: "mspp" })).rejects.toThrow(/did you mean msp/);
    const headless = { ...base(), head: null, methods: ["knn", "vim"], delong: "vim" };
    expect((await evaluateOod(headless)).warnings).toContain(
      "no DeLong tests: their reference vim was skipped",
    );
  });
  test("an OOD set that is the ID test set is told", async () => {
    const features = await plain.test.features(0, plain.test.rows);
    const turned = new Float32Array(features.length);
    for (let start = 0; start < features.length; start += 32)
      turned.set(features.subarray(start, start + 32), features.length - 32 - start);
    const copy = memoryFeatures("copy", { features, dim: 32 });
    const reversed = memoryFeatures("reversed", { features: turned, dim: 32 });
    const shuffled = memoryFeatures("shifted", { features: features.map((x) => x + 1), dim: 32 });
    const { warnings } = await evaluateOod({
      ...base(),
      methods: ["msp"],
      ood: [
        { source: copy, group: "near" },
        { source: reversed, group: "near" },
        { source: shuffled, group: "far" },
      ],
    });
    expect(warnings).toEqual([
      "copy holds the same 32-dimensional rows as test: was one file given twice?",
      "reversed holds the same 32-dimensional rows as test: was one file given twice?",
      "reversed holds the same 32-dimensional rows as copy: was one file given twice?",
    ]);
  });
  test("classes without samples, constant columns and few samples are told", async () => {
    const features = await plain.train.features(0, plain.train.rows);
    const labels = plain.train.labels!;
    const kept = [...labels.keys()].filter((row) => labels[row] !== 1).slice(0, 30);
    const few = new Float32Array(kept.length * 32);
    kept.forEach((row, index) => {
      few.set(features.subarray(row * 32, row * 32 + 32), index * 32);
      few[index * 32 + 5] = 2.5;
    });
    const train = memoryFeatures("few", {
      features: few,
      dim: 32,
      labels: Int32Array.from(kept, (row) => labels[row]!),
    });
    const { warnings } = await evaluateOod({ ...base(), train, methods: ["mahalanobis"] });
    expect(warnings).toContain(
      "few: 1 of 6 classes have no samples, the first is class 1; class statistics leave them out",
    );
    expect(warnings).toContain(
      "few: 1 of 32 feature columns are constant, the first is column 5; they tell nothing",
    );
    expect(warnings).toContainEqual(
      expect.stringMatching(/^few: 30 samples in 32 dimensions leave the covariance singular/),
    );
    expect((await evaluateOod({ ...base(), methods: ["msp"] })).warnings).toEqual([]);
  });
});
