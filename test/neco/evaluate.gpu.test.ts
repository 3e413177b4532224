/** The evaluation as a whole: groups, skipped methods, plug-ins, leaks, and bad input. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import { evaluateOod, findScore, fitScores, scores as builtIn } from "../../src/neco/index.ts";
import type { EvaluateInput, Score } from "../../src/neco/index.ts";
import { generator } from "../ops/samples.ts";
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

const WIDE = 160; // columns

/** Random features of two classes, wide enough for an eigenproblem of many dispatches. */
function wide() {
  const random = generator(11);
  const rows = 2 * WIDE;
  const draw = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
  const labels = Int32Array.from({ length: rows }, (_, row) => row % 2);
  const weight = draw(2 * WIDE);
  return {
    train: memoryFeatures("wide", { features: draw(rows * WIDE), labels, dim: WIDE }),
    head: { weight, bias: null, classes: 2, dim: WIDE },
  };
}

const base = (): EvaluateInput => ({
  engine,
  train: plain.train,
  id: plain.test,
  head: plain.head,
  ood: [{ source: plain.near, group: "near" }],
});

const all = (source: FeatureSource): Promise<Float32Array> => source.features(0, source.rows);

describe("results", () => {
  test("controls stay out of every average; groups without a set are null", async () => {
    const noise = { ...plain.far, name: "noise" };
    const { json } = await evaluateOod({
      ...base(),
      methods: ["msp"],
      ood: [
        { source: plain.near, group: "near" },
        { source: noise, group: "control" },
      ],
    });
    const { near, far, average, sets } = json.results["msp"]!;
    expect(Object.keys(sets)).toEqual(["near", "noise"]);
    expect(far).toBeNull();
    expect(average).toEqual(near);
    expect(json.config["groups"]).toEqual({ near: "near", noise: "control" });
    expect(json.schema).toBe("neco-webgpu/ood@1");
  });
  test("methods that need what is not there are skipped by name", async () => {
    const { json } = await evaluateOod({ ...base(), head: null });
    expect(Object.keys(json.results).sort()).toEqual([
      "cfood",
      "gmm",
      "knn",
      "mahalanobis",
      "neco-nologit",
      "rmds",
    ]);
    expect(json.skipped["vim"]).toMatch(/logits|head/);
    expect(json.skipped["residual"]).toMatch(/needs the head W/);
    expect(json.skipped["msp"]).toMatch(/needs logits/);
    expect(json.id.accuracy).toBeNull();
    const train = { ...plain.train, labels: null };
    const unlabelled = await evaluateOod({ ...base(), train });
    expect(unlabelled.json.skipped["mahalanobis"]).toMatch(/needs class labels/);
  });
  test("logits from the file are used, and checked against the head", async () => {
    const withLogits = async (source: FeatureSource, scale: number): Promise<FeatureSource> => {
      const features = await all(source);
      const { weight, bias } = plain.head;
      const logits = new Float32Array(source.rows * 6);
      for (let row = 0; row < source.rows; row++)
        for (let c = 0; c < 6; c++) {
          let z = bias![c]!;
          for (let j = 0; j < 32; j++) z += features[row * 32 + j]! * weight[c * 32 + j]!;
          logits[row * 6 + c] = z * scale;
        }
      return memoryFeatures(source.name, { features, dim: 32, labels: source.labels, logits });
    };
    const run = async (
      scale: number,
      hasHead: boolean,
      trainScale = scale,
    ): Promise<readonly string[]> => {
      const { warnings, json } = await evaluateOod({
        ...base(),
        methods: ["msp", "temperature"],
        head: hasHead ? plain.head : null,
        train: await withLogits(plain.train, trainScale),
        id: await withLogits(plain.test, scale),
        ood: [{ source: await withLogits(plain.near, scale), group: "near" }],
      });
      expect(json.results["msp"]).toBeDefined();
      return warnings;
    };
    expect(await run(1, true)).toEqual([]);
    expect(await run(1, false)).toEqual([]);
    const differ = (set: string): RegExp =>
      new RegExp(`^${set}: the file's logits differ from h·Wᵀ \\+ b by up to`);
    for (const set of ["train", "test", "near"])
      expect(await run(1.1, true)).toContainEqual(expect.stringMatching(differ(set)));
    expect(await run(1, true, 1.1)).toEqual([expect.stringMatching(differ("train"))]);
  });
  test("a plug-in is one small object", async () => {
    const norm: Score = {
      name: "norm",
      aliases: [],
      title: "Feature norm",
      needs: ["features"],
      fit: () => Promise.resolve({ arrays: {}, params: {}, warnings: [] }),
      bind: () => ({
        async score({ features }) {
          const { ops } = engine;
          return Float64Array.from(await ops.sum(ops.square(features), { axes: [1] }).floats());
        },
        dispose: () => undefined,
      }),
    };
    const scores = [...builtIn, norm];
    const { json } = await evaluateOod({ ...base(), scores, methods: ["norm"] });
    expect(json.results["norm"]!.sets["near"]!.n).toBe(120);
  });
  test.each(["vim", "residual", "mahalanobis", "neco"])(
    "%s: the decomposition runs on the GPU, dispatch by dispatch",
    async (name) => {
      const before = engine.eager.dispatches;
      const input = { engine, ...wide() };
      await fitScores({ ...input, scores: [findScore("msp")] });
      const bare = engine.eager.dispatches - before;
      await fitScores({ ...input, scores: [findScore(name)] });
      const whole = engine.eager.dispatches - before - bare;
      // Tridiagonalising takes two for each column before the last 128.
      expect(whole - bare).toBeGreaterThan(2 * (WIDE - 128));
    },
  );
  test("no matrix library is among the runtime dependencies", () => {
    const file = new URL("../../package.json", import.meta.url);
    const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as {
      dependencies: Record<string, string>;
    };
    const matrix = /matrix|numeric|blas|lapack|mathjs|eigen|tensor/;
    const found = Object.keys(dependencies).filter((name) => matrix.test(name));
    expect(found).toEqual(["gl-matrix"]); // the page's camera, nothing else
  });
  test("nothing leaks: live buffers return to where they were", async () => {
    await evaluateOod(base());
    const before = engine.pool.live;
    await evaluateOod(base());
    expect(engine.pool.live).toBe(before);
  });
});

describe("bad input", () => {
  test("NaN and Inf: how many, and where the first is", async () => {
    const features = await all(plain.train);
    features[5 * 32 + 7] = NaN;
    features[9 * 32] = Infinity;
    const { labels } = plain.train;
    const train = memoryFeatures("holes", { features, dim: 32, labels });
    await expect(evaluateOod({ ...base(), train })).rejects.toThrow(
      /holes: 2 of 15360 feature values are NaN or infinite, the first in row 5, column 7/,
    );
  });
  test("NaN among the logits: how many, and where the first is", async () => {
    const features = await all(plain.train);
    const { labels, rows } = plain.train;
    const logits = new Float32Array(rows * 6);
    logits[4 * 6 + 2] = NaN;
    logits[rows * 6 - 1] = -Infinity;
    const train = memoryFeatures("holes", { features, dim: 32, labels, logits });
    await expect(evaluateOod({ ...base(), train, methods: ["klmatching"] })).rejects.toThrow(
      /holes: 2 of 2880 logits are NaN or infinite, the first in row 4, column 2/,
    );
  });
  test("fewer samples than dimensions", async () => {
    const features = (await all(plain.train)).slice(0, 20 * 32);
    const train = memoryFeatures("few", {
      features,
      dim: 32,
      labels: plain.train.labels!.slice(0, 20),
    });
    await expect(evaluateOod({ ...base(), train, methods: ["neco"] })).rejects.toThrow(
      /few: PCA in 32 dimensions needs at least 32 training samples, got 20/,
    );
  });
  test("d ≥ D", async () => {
    const options = { necoDim: 32 };
    await expect(evaluateOod({ ...base(), methods: ["neco"], options })).rejects.toThrow(
      /--neco-dim 32 is not below the 32 feature dimensions/,
    );
  });
  test("empty sets, no sets, equal names, other widths", async () => {
    const empty = memoryFeatures("void", { features: new Float32Array(), dim: 32 });
    await expect(
      evaluateOod({ ...base(), ood: [{ source: empty, group: "far" }] }),
    ).rejects.toThrow(/OOD set void is empty/);
    await expect(evaluateOod({ ...base(), ood: [] })).rejects.toThrow(/no OOD set/);
    const twice = [base().ood[0]!, base().ood[0]!];
    await expect(evaluateOod({ ...base(), ood: twice })).rejects.toThrow(/"near" comes twice/);
    const narrow = memoryFeatures("narrow", { features: new Float32Array(4), dim: 2 });
    await expect(
      evaluateOod({ ...base(), ood: [{ source: narrow, group: "far" }] }),
    ).rejects.toThrow(/narrow has 2 feature columns, train \(.*train\.npz\) has 32: extract/);
    await expect(evaluateOod({ ...base(), train: empty })).rejects.toThrow(/void is empty/);
  });
  test("a head of another width, a label that is no class", async () => {
    const head = { ...plain.head, weight: new Float32Array(6 * 31), dim: 31 };
    await expect(evaluateOod({ ...base(), head })).rejects.toThrow(/does not take features of 32/);
    const labels = plain.train.labels!.slice();
    labels[3] = 6;
    await expect(evaluateOod({ ...base(), train: { ...plain.train, labels } })).rejects.toThrow(
      /label 6 at row 3/,
    );
  });
  test("constant features", async () => {
    const features = new Float32Array(64 * 32).fill(3);
    const train = memoryFeatures("flat", { features, dim: 32 });
    await expect(evaluateOod({ ...base(), train, methods: ["neco"] })).rejects.toThrow(
      /flat: all training features are equal/,
    );
  });
});
