/** CFOOD and GMM against float64, on the regimes: vectors, metrics, parameters, detectors. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { loadDoubles, memoryFeatures, openArrays } from "../../src/io/index.ts";
import type { ArrayStore, FeatureSource } from "../../src/io/index.ts";
import {
  createDetector,
  Detector,
  findScore,
  fitScores,
  scoreSource,
} from "../../src/neco/index.ts";
import type { Evaluation, MethodParams, OodMetrics } from "../../src/neco/index.ts";
import { neighbourGrid, referenceRows } from "../../src/neco/scores/cfood.ts";
import { normal } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";
import { cfood64, evaluateRegime, expectScores, rowsOf } from "./more-scores.ts";
import type { Grid } from "./more-scores.ts";
import { openRegime, regimes } from "./regimes.ts";
import type { Regime, RegimeData } from "./regimes.ts";

const SCORE_TOLERANCE = 1e-4; // of the largest score
const AUROC_TOLERANCE = 0.05 / 100;

interface RegimeMore {
  readonly found: Readonly<
    Record<string, { readonly turns: number; readonly weights: readonly number[] }>
  >;
  readonly results: Readonly<Record<string, Readonly<Record<"near" | "far", OodMetrics>>>>;
}
const path = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const golden = JSON.parse(readFileSync(path("more-scores.json"), "utf8")) as Readonly<
  Record<Regime, RegimeMore>
> & { readonly grids: Readonly<Record<string, Grid>> };

let engine: Engine;
let vectors: ArrayStore;
const data = new Map<Regime, RegimeData>();
beforeAll(async () => {
  engine = await createEngine();
  vectors = await openArrays(path("more-scores.npz"));
  for (const regime of regimes) data.set(regime, await openRegime(regime));
});
afterAll(async () => {
  await vectors.close();
  engine.destroy();
});

const all = (source: FeatureSource): Promise<Float32Array> => source.features(0, source.rows);

const evaluate = (
  regime: Regime,
  method: string,
  params: MethodParams[string] = {},
): Promise<Evaluation> => evaluateRegime(engine, data.get(regime)!, method, params);

const vectorOf =
  (regime: Regime, oracle: string) =>
  async (set: string): Promise<readonly number[]> => {
    const array = await vectors.find(`${regime}/${oracle}/${set}`);
    if (!array) throw new Error(`no golden ${regime}/${oracle}/${set}`);
    return Array.from(await loadDoubles(array));
  };

function compareMetrics(
  { json }: Evaluation,
  regime: Regime,
  method: string,
  oracle: string,
): void {
  const { results } = golden[regime];
  for (const set of ["near", "far"] as const) {
    const [got, want] = [json.results[method]!.sets[set]!, results[oracle]![set]];
    const within = (key: keyof OodMetrics, tolerance: number): void => {
      const name = `${regime} ${oracle} ${set} ${key}`;
      expect(Math.abs(got[key] - want[key]), name).toBeLessThanOrEqual(tolerance + 1e-12);
    };
    within("auroc", AUROC_TOLERANCE);
    within("fpr_at_95_id_tpr", 1 / 120);
    within("fpr_at_95_ood_tpr", 1 / 200);
    within("aupr_in", 1e-3);
    within("aupr_out", 1e-3);
  }
}

describe.each(regimes)("cfood, %s", (regime) => {
  test.each([
    ["cfood", { alpha: 1 }],
    ["cfood/k=0.05", { alpha: 1, k: 0.05 }],
  ])("%s: the places of float64, one by one", async (oracle, params) => {
    const run = await evaluate(regime, "cfood", params);
    await expectScores(run, "cfood", vectorOf(regime, oracle), 0);
    compareMetrics(run, regime, "cfood", oracle);
  });
  test("a tenth of the training set", async () => {
    const { train, test: id, near, far } = data.get(regime)!;
    const own = referenceRows(train.rows, 0.1, 0);
    expect(own.length).toBe(48);
    const bank = rowsOf(await all(train), 32).filter((_, row) => own.includes(row));
    const sets = { test: id, near, far };
    const wanted = async (set: keyof typeof sets): Promise<number[]> =>
      cfood64(rowsOf(await all(sets[set]), 32), bank, golden.grids["48"]!, 0.01);
    await expectScores(await evaluate(regime, "cfood"), "cfood", wanted, 0);
  });
});

describe("cfood", () => {
  test.each([2, 48, 480, 1000])("the grid for %d samples is numpy's", (count) => {
    expect(neighbourGrid(count)).toEqual(golden.grids[String(count)]);
  });
  test("the reference is drawn by the seed, each row once", () => {
    const rows = referenceRows(1000, 0.1, 0);
    expect(new Set(rows).size).toBe(100);
    expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
    expect(referenceRows(1000, 0.1, 0)).toEqual(rows);
    expect(referenceRows(1000, 0.1, 1)).not.toEqual(rows);
    expect([...referenceRows(5, 1, 3)]).toEqual([0, 1, 2, 3, 4]);
    expect(() => referenceRows(1, 1, 0)).toThrow(/cfood needs at least 2 training samples/);
  });
  test("samples of the reference, and rows of zeros", async () => {
    const { train } = data.get("plain")!;
    const values = (await all(train)).slice(0, 60 * 32);
    values.fill(0, 32, 64); // one reference row, at distance 1 from all others
    const source = memoryFeatures("few", { features: values, dim: 32 });
    const { fitted } = await fitScores({
      engine,
      train: source,
      head: null,
      scores: [findScore("cfood")],
      options: { methodParams: { cfood: { alpha: 1, k: 0.05 } } },
    });
    const score = fitted[0]!;
    const detector = await createDetector({
      engine,
      fitted: score,
      validation: source,
      head: null,
    });
    const got = (await detector.judge(source)).map((judged) => judged.score);
    detector.dispose();
    const rows = rowsOf(values, 32);
    expect(got).toEqual(cfood64(rows, rows, neighbourGrid(60), 0.05));
  });
});

test("cfood: classes collapsed to 1e-4 of their means, below f32's rounding of 2 − 2 cos", async () => {
  const [rows, dim] = [90, 16];
  const means = normal(3 * dim, { seed: 1 });
  const set = (stream: number): Float32Array =>
    normal(rows * dim, { seed: 2, stream, std: 1e-4 }).map(
      (noise, k) => noise + at(means, (Math.floor(k / dim) % 3) * dim + (k % dim)),
    );
  const [train, id] = [set(0), set(1)];
  const scores = [findScore("cfood")];
  const options = { methodParams: { cfood: { alpha: 1 } } };
  const source = memoryFeatures("tight", { features: train, dim });
  const { fitted } = await fitScores({ engine, train: source, head: null, scores, options });
  const given = memoryFeatures("given", { features: id, dim });
  const { scores: found } = await scoreSource({ engine, source: given, head: null, fitted });
  const want = cfood64(rowsOf(id, dim), rowsOf(train, dim), neighbourGrid(rows), 0.01);
  expect(new Set(want).size).toBeGreaterThan(5);
  expect([...found.get("cfood")!]).toEqual(want);
});

describe.each(regimes)("gmm, %s", (regime) => {
  test.each([
    ["gmm", {}],
    ["gmm/clusters=6,dim=12", { clusters: 6, dim: 12 }],
  ])("%s: scikit-learn's mixture from the same clusters", async (oracle, params) => {
    const run = await evaluate(regime, "gmm", params);
    const { turns, weights } = golden[regime].found[oracle]!;
    expect(run.json.results["gmm"]!.params["turns"]).toBe(turns);
    const { values } = run.fitted[0]!.state.arrays["weights"]!;
    for (const [k, weight] of values.slice().sort().entries())
      expect(Math.abs(weight - at(weights, k)), `weight ${k}`).toBeLessThan(1e-5);
    await expectScores(run, "gmm", vectorOf(regime, oracle), SCORE_TOLERANCE);
    compareMetrics(run, regime, "gmm", oracle);
  });
});

describe("gmm", () => {
  test("one cluster is the Mahalanobis distance to the mean, halved", async () => {
    const run = await evaluate("plain", "gmm", { clusters: 1, regularisation: 1e-12 });
    const { train, test: id } = data.get("plain")!;
    const { mean, covariance } = (await fitScores({ engine, train, head: null, scores: [] })).train;
    const { inverseFactor } = await import("../../src/linalg/index.ts");
    const factor = inverseFactor(covariance, 32);
    const want = rowsOf(await all(id), 32).map((h) => {
      let total = 0;
      for (let j = 0; j < 32; j++) {
        let z = 0;
        for (let i = 0; i <= j; i++) z += (at(h, i) - at(mean, i)) * at(factor, i * 32 + j);
        total += z * z;
      }
      return -total / 2;
    });
    const got = run.scores["gmm/id"]!;
    const worst = Math.max(...want.map((value, row) => Math.abs(value - at(got, row))));
    expect(worst).toBeLessThan(1e-4 * Math.max(...want.map(Math.abs)));
  });
  test("the regularisation cannot be left out", async () => {
    await expect(evaluate("lowrank", "gmm", { regularisation: 0 })).rejects.toThrow(
      /gmm.regularisation must be a number of at least 1e-12; got 0/,
    );
  });
  test("fewer rows than clusters, and rows that coincide", async () => {
    const features = (await all(data.get("plain")!.train)).slice(0, 8 * 32);
    features.copyWithin(0, 32, 64); // rows 0 and 1 are one
    const few = memoryFeatures("few", { features, dim: 32 });
    const scores = [findScore("gmm")];
    const { fitted } = await fitScores({ engine, train: few, head: null, scores });
    expect(fitted[0]!.state.params["clusters"]).toBe(7);
    expect(fitted[0]!.state.warnings).toEqual(["gmm: few has rows for 7 clusters instead of 50"]);
  });
});

test.each([
  ["cfood", { alpha: 0.5 }],
  ["gmm", { clusters: 7 }],
] as const)("a %s detector survives its file to the last bit", async (name, params) => {
  const { train, test: validation, near } = data.get("collapsed")!;
  const options = { methodParams: { [name]: params } };
  const scores = [findScore(name)];
  const { fitted } = await fitScores({ engine, train, head: null, scores, options });
  const detector = await createDetector({ engine, fitted: fitted[0]!, validation, head: null });
  const loaded = await Detector.load(await detector.toBytes(), { engine });
  expect(loaded.spec.state).toEqual(fitted[0]!.state);
  expect(await loaded.judge(near)).toEqual(await detector.judge(near));
  detector.dispose();
  loaded.dispose();
});

test("nothing leaks: live buffers return to where they were", async () => {
  const fit = async (): Promise<number> => {
    for (const method of ["cfood", "gmm"]) await evaluate("plain", method);
    return engine.pool.live;
  };
  const before = await fit();
  expect(await fit()).toBe(before);
});
