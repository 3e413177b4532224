/** Identities that scores must keep, whatever the data: the analytic vectors of the formulas. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import {
  evaluateOod,
  findScore,
  fitScores,
  principalAxes,
  scores as registered,
  scoreSource,
  sweepDims,
  trainStatistics,
} from "../../src/neco/index.ts";
import type { EvaluateInput, FittedScore, MethodParams } from "../../src/neco/index.ts";
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

async function fitted(name: string): Promise<FittedScore> {
  const scores = [findScore(name)];
  const fit = await fitScores({ engine, train: plain.train, head: plain.head, scores });
  return fit.fitted[0]!;
}

const all = (source: FeatureSource): Promise<Float32Array> => source.features(0, source.rows);

describe("identities", () => {
  test("energy lies between the largest logit and that plus log C", async () => {
    const { scores } = await evaluateOod({ ...base(), methods: ["energy", "maxlogit"] });
    scores["energy/id"]!.forEach((energy, row) => {
      const largest = scores["maxlogit/id"]![row]!;
      expect(energy).toBeGreaterThanOrEqual(largest);
      expect(energy).toBeLessThanOrEqual(largest + Math.log(6) + 1e-6);
    });
  });
  test("over the training set, the mean of ViM's virtual logit is the mean largest logit", async () => {
    const names = ["vim", "energy", "maxlogit"];
    const { fitted: fits } = await fitScores({
      engine,
      train: plain.train,
      head: plain.head,
      scores: names.map((name) => findScore(name)),
    });
    const pass = { engine, source: plain.train, head: plain.head, fitted: fits };
    const { scores } = await scoreSource(pass);
    const mean = (name: string): number =>
      scores.get(name)!.reduce((sum, value) => sum + value, 0) / plain.train.rows;
    expect((mean("energy") - mean("vim")) / mean("maxlogit")).toBeCloseTo(1, 5);
  });
  test("Mahalanobis with identity covariance is minus the squared distance to the nearest mean", async () => {
    // ±1 on each axis around two means: within-class covariance is I/2 · 2/D · D… scaled to I below.
    const dim = 4;
    const offsets = Array.from({ length: 2 * dim }, (_, k) =>
      Float32Array.from({ length: dim }, (_, j) =>
        j === Math.floor(k / 2) ? (k % 2 ? -1 : 1) * Math.sqrt(dim) : 0,
      ),
    );
    const centres = [0, 10];
    const features = Float32Array.from(
      centres.flatMap((centre) => offsets.flatMap((offset) => [...offset].map((x) => x + centre))),
    );
    const labels = Int32Array.from({ length: 4 * dim }, (_, row) => (row < 2 * dim ? 0 : 1));
    const train = memoryFeatures("cross", { features, dim, labels });
    const scores = [findScore("mds")];
    const fit = await fitScores({ engine, train, head: null, scores });
    const source = memoryFeatures("probe", {
      features: Float32Array.from([1, 2, 3, 4, 11, 10, 10, 9]),
      dim,
    });
    const got = await scoreSource({ engine, source, head: null, fitted: fit.fitted });
    expect(got.scores.get("mahalanobis")![0]).toBeCloseTo(-30, 3);
    expect(got.scores.get("mahalanobis")![1]).toBeCloseTo(-2, 4);
  });
  test("NECO's ratio grows with d and reaches 1; the sweep repeats the table at the chosen d", async () => {
    const { state } = await fitted("neco-nologit");
    const sweep = await sweepDims(engine, {
      state,
      id: plain.test,
      ood: [plain.near],
      weights: plain.head,
      grid: [1, 5, 12, 32],
    });
    const run = await evaluateOod({ ...base(), methods: ["neco"], options: { necoDim: 12 } });
    const at12 = run.json.results["neco-nologit"]!.sets["near"]!;
    expect(sweep.sets["near"]!.auroc[2]).toBeCloseTo(at12.auroc, 10);
    expect(sweep.sets["near"]!.auroc[3]).toBe(0.5); // d = D: every ratio is 1
    expect(sweep.seen_test_ood).toBe(true);
    const narrow = await evaluateOod({ ...base(), methods: ["neco"], options: { necoDim: 5 } });
    run.scores["neco-nologit/id"]!.forEach((ratio, row) => {
      expect(ratio).toBeGreaterThanOrEqual(narrow.scores["neco-nologit/id"]![row]!);
      expect(ratio).toBeLessThan(1);
    });
  });
  test("a feature of zeros has ratio 0", async () => {
    const { fitted: fits } = await fitScores({
      engine,
      train: plain.train,
      head: plain.head,
      scores: [findScore("neco-nologit")],
      options: { necoMode: "paper" },
    });
    const source = memoryFeatures("zero", { features: new Float32Array(32), dim: 32 });
    const got = await scoreSource({ engine, source, head: plain.head, fitted: fits });
    expect([...got.scores.get("neco-nologit")!]).toEqual([0]);
  });
  // The training set `times` times over: what counts samples must count as many times as far.
  const counting = (times: number): MethodParams => ({
    knn: { k: 5 * times },
    nnguide: { k: 100 * times, share: 1 },
    openmax: { tail: 20 * times },
  });
  // A random part of the training set, and clusters that start from other samples, are others then.
  const methods = registered
    .map(({ name }) => name)
    .filter((name) => name !== "cfood" && name !== "gmm");
  test("many blocks give what one block gives", async () => {
    const features = await all(plain.train);
    const times = 12; // 5,760 rows: two blocks
    const many = new Float32Array(features.length * times);
    const labels = new Int32Array(plain.train.rows * times);
    for (let time = 0; time < times; time++) {
      many.set(features, time * features.length);
      labels.set(plain.train.labels!, time * plain.train.rows);
    }
    const train = memoryFeatures("many", { features: many, dim: 32, labels });
    const one = await evaluateOod({
      ...base(),
      methods,
      options: { methodParams: counting(1) },
    });
    const two = await evaluateOod({
      ...base(),
      methods,
      train,
      options: { methodParams: counting(times) },
    });
    for (const [name, want] of Object.entries(one.scores)) {
      const largest = want.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      want.forEach((value, row) => {
        const got = two.scores[name]![row]! / (name.startsWith("relation/") ? times : 1);
        // Quantiles are taken between neighbours, which repeating draws together.
        const tolerance = /^(react|vra)\//.test(name) ? 1e-3 : 1e-4;
        expect(Math.abs(got - value) / largest, name).toBeLessThan(tolerance);
      });
    }
  });
});

describe("principal axes", () => {
  test("coordinates along the axes carry the explained variance, and points are spread over the rows", async () => {
    const statistics = await trainStatistics(engine, plain.train);
    const axes = await principalAxes(engine, statistics, 3);
    const { coordinates, rows } = await axes.project(plain.train);
    const trace = statistics.mean.reduce((sum, _, j) => sum + statistics.covariance[j * 33]!, 0);
    coordinates.forEach((axis, k) => {
      const variance = axis.reduce((sum, x) => sum + x * x, 0) / axis.length;
      expect(variance / trace / axes.explained[k]!).toBeCloseTo(1, 4);
    });
    expect(rows.length).toBe(480);
    const few = [...(await axes.project(plain.train, 4)).rows];
    expect(few.map((row) => Math.floor(row / 120))).toEqual([0, 1, 2, 3]);
    const more = [...(await axes.project(plain.train, 48)).rows];
    expect(new Set(more.map((row) => row % 10)).size).toBe(10); // no class of ten in turn is missed
    const most = [...(await axes.project(plain.train, 479)).rows];
    expect(new Set(most).size).toBe(479);
    axes.dispose();
  });
});
