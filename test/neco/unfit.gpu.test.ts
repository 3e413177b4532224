/** Training sets too small, or of too low a rank, for some scores: skipped among all, an error by name. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import { evaluateOod, scores as builtIn, searchParameters } from "../../src/neco/index.ts";
import type { EvaluateInput, Score } from "../../src/neco/index.ts";
import { DataError, NumericError } from "../../src/util/errors.ts";
import { openRegime } from "./regimes.ts";
import type { RegimeData } from "./regimes.ts";

const DIM = 32;

let engine: Engine;
let plain: RegimeData;
beforeAll(async () => {
  engine = await createEngine();
  plain = await openRegime("plain");
});
afterAll(() => {
  engine.destroy();
});

const withTrain = (train: FeatureSource): EvaluateInput => ({
  engine,
  train,
  id: plain.test,
  head: plain.head,
  ood: [{ source: plain.near, group: "near" }],
});

/** The first rows of the training set. */
async function few(rows: number): Promise<FeatureSource> {
  const features = await plain.train.features(0, rows);
  return memoryFeatures("few", { features, dim: DIM, labels: plain.train.labels!.slice(0, rows) });
}

/** Rows that equal the mean of their class: Mahalanobis has no scale. */
async function collapsed(): Promise<FeatureSource> {
  const labels = Int32Array.from({ length: 60 }, (_, row) => row % 6);
  const centres = await plain.train.features(0, 6);
  const features = new Float32Array(60 * DIM);
  for (const [row, label] of labels.entries())
    features.set(centres.subarray(label * DIM, (label + 1) * DIM), row * DIM);
  return memoryFeatures("collapsed", { features, dim: DIM, labels });
}

/** Methods that lack nothing but fitting data. */
const ofFeatures = builtIn.filter(
  ({ needs }) => !needs.includes("images") && !needs.includes("peers"),
);

async function skippedOf(train: FeatureSource): Promise<Readonly<Record<string, string>>> {
  const { json, scores } = await evaluateOod({ ...withTrain(train), scores: ofFeatures });
  const done = Object.keys(json.results);
  // Every method is in one of the two places, and those with results have scores that can be ranked.
  expect([...done, ...Object.keys(json.skipped)].sort()).toEqual(
    ofFeatures.map(({ name }) => name).sort(),
  );
  for (const name of done) expect(scores[`${name}/near`]?.every(Number.isFinite)).toBe(true);
  return json.skipped;
}

describe("among all methods, what cannot be fitted is skipped with its reason", () => {
  test("fewer samples than dimensions", async () => {
    const skipped = await skippedOf(await few(20));
    const reason =
      "few: PCA in 32 dimensions needs at least 32 training samples, got 20; pass more";
    expect(skipped).toEqual({ neco: reason, "neco-nologit": reason });
  });
  test("one sample", async () => {
    const skipped = await skippedOf(await few(1));
    expect(skipped["cfood"]).toMatch(/at least 2 training samples; there are 1/);
    expect(skipped["neco"]).toMatch(/needs at least 32/);
    expect(skipped["mahalanobis"]).toMatch(/every sample equals its class mean/);
    expect(skipped["rmds"]).toBeDefined();
    expect(skipped["msp"]).toBeUndefined();
  });
  test("a spread of rank 0 within classes", async () => {
    const skipped = await skippedOf(await collapsed());
    expect(skipped["mahalanobis"]).toMatch(/every sample equals its class mean/);
    expect(skipped["neco"]).toBeUndefined();
  });
  test("samples that are all equal", async () => {
    const features = new Float32Array(64 * DIM).fill(3);
    const labels = new Int32Array(64);
    const skipped = await skippedOf(memoryFeatures("flat", { features, dim: DIM, labels }));
    expect(skipped["neco"]).toMatch(/all training features are equal/);
    expect(skipped["vim"]).toBeUndefined();
  });
  test("the reference of DeLong's tests may be among them: a warning, not an end", async () => {
    const scores = ofFeatures.filter(({ name }) => ["neco", "msp"].includes(name));
    const { warnings, json } = await evaluateOod({
      ...withTrain(await few(20)),
      scores,
      delong: "neco",
    });
    expect(warnings).toContain("no DeLong tests: their reference neco was skipped");
    expect(Object.keys(json.results)).toEqual(["msp"]);
  });
});

describe("by name it is an error of its type", () => {
  test.each([
    ["neco", /needs at least 32 training samples, got 20/, 20],
    ["neco-nologit", /needs at least 32 training samples, got 20/, 20],
    ["cfood", /at least 2 training samples/, 1],
    ["mahalanobis", /every sample equals its class mean/, 1],
  ] as const)("%s", async (name, message, rows) => {
    const run = evaluateOod({ ...withTrain(await few(rows)), methods: ["msp", name] });
    await expect(run).rejects.toThrow(DataError);
    await expect(run).rejects.toThrow(message);
  });
});

/** A score whose fit fails as it is told. */
const failing = (error: Error): Score => ({
  name: "failing",
  aliases: [],
  title: "Failing",
  needs: ["features"],
  parameters: {},
  fit: () => Promise.reject(error),
  bind: () => ({
    score: ({ rows }) => Promise.resolve(new Float64Array(rows)),
    dispose: () => undefined,
  }),
});

test("errors that are no refusal of the data end the evaluation as ever", async () => {
  const scores = [failing(new NumericError("a defect of ours"))];
  await expect(evaluateOod({ ...withTrain(plain.train), scores })).rejects.toThrow(/of ours/);
});

test("a search leaves alone what cannot be fitted", async () => {
  const { train, ...rest } = withTrain(await few(1));
  const scores = ofFeatures.filter(({ name }) => ["cfood", "gen"].includes(name));
  const found = await searchParameters({
    ...rest,
    train,
    scores,
    ood: [plain.near],
  });
  expect(found["cfood"]).toBeUndefined();
  expect(found["gen"]).toBeDefined();
});
