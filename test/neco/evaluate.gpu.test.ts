/** The evaluation as a whole: identities that must hold, groups, plug-ins, the d sweep, detectors, bad input. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import {
  createDetector,
  Detector,
  evaluateOod,
  fitScores,
  findScore,
  scores as builtIn,
  scoreSource,
  sweepDims,
} from "../../src/neco/index.ts";
import type { EvaluateInput, FittedScore, Score } from "../../src/neco/index.ts";
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

async function all(source: FeatureSource): Promise<Float32Array> {
  return source.features(0, source.rows);
}

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
    const one = await evaluateOod(base());
    const two = await evaluateOod({ ...base(), train });
    for (const [name, want] of Object.entries(one.scores)) {
      const largest = want.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      want.forEach((value, row) => {
        expect(Math.abs(two.scores[name]![row]! - value) / largest, name).toBeLessThan(1e-4);
      });
    }
  });
});

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
    expect(Object.keys(json.results).sort()).toEqual(["mahalanobis", "neco-nologit"]);
    expect(json.skipped["vim"]).toMatch(/logits|head/);
    expect(json.skipped["residual"]).toMatch(/needs the head W/);
    expect(json.skipped["msp"]).toMatch(/needs logits/);
    expect(json.id.accuracy).toBeNull();
    const { labels: _, ...bare } = plain.train;
    const unlabelled = await evaluateOod({ ...base(), train: { ...bare, labels: null } });
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
    const run = async (scale: number, hasHead: boolean): Promise<readonly string[]> => {
      const { warnings, json } = await evaluateOod({
        ...base(),
        methods: ["msp"],
        head: hasHead ? plain.head : null,
        train: await withLogits(plain.train, scale),
        id: await withLogits(plain.test, scale),
        ood: [{ source: await withLogits(plain.near, scale), group: "near" }],
      });
      expect(json.results["msp"]).toBeDefined();
      return warnings;
    };
    expect(await run(1, true)).toEqual([]);
    expect(await run(1, false)).toEqual([]);
    expect((await run(1.1, true))[0]).toMatch(
      /test: the file's logits differ from h·Wᵀ \+ b by up to/,
    );
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
  test("nothing leaks: live bytes return to where they were", async () => {
    await evaluateOod(base());
    const before = engine.pool.bytesInUse;
    await evaluateOod(base());
    expect(engine.pool.bytesInUse).toBe(before);
  });
});

describe("detector", () => {
  test.each(["neco", "vim", "mahalanobis", "msp"])(
    "%s keeps 19 of 20 validation samples and survives its file",
    async (name) => {
      const detector = await createDetector({
        engine,
        fitted: await fitted(name),
        validation: plain.test,
        head: plain.head,
        classes: ["a", "b", "c", "d", "e", "f"],
        preprocessing: { size: 28 },
      });
      const own = await detector.judge(plain.test);
      expect(own.filter(({ isOod }) => !isOod).length).toBe(Math.floor(0.95 * 200));
      expect(own[0]!.probs.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      expect("abcdef").toContain(own[0]!.label);
      const loaded = await Detector.load(await detector.toBytes(), { engine });
      expect(loaded.spec.preprocessing).toEqual({ size: 28 });
      expect(await loaded.judge(plain.near)).toEqual(await detector.judge(plain.near));
      const model = {
        run: async () => ({ features: (await all(plain.near)).slice(0, 32), logits: null }),
      };
      const [judged] = await loaded.detect(model, ["an image"]);
      const [expected] = await detector.judge(plain.near);
      expect(judged!.score).toBeCloseTo(expected!.score, 4);
      expect(judged!.isOod).toBe(expected!.isOod);
      detector.dispose();
      loaded.dispose();
    },
  );
  test("features of another width", async () => {
    const detector = await createDetector({
      engine,
      fitted: await fitted("msp"),
      validation: plain.test,
      head: plain.head,
    });
    const wrong = memoryFeatures("wrong", { features: new Float32Array(6), dim: 3 });
    await expect(detector.judge(wrong)).rejects.toThrow(
      /wrong has 3 feature columns, the detector/,
    );
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
    ).rejects.toThrow(/narrow has 2 feature columns, the training features 32/);
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
