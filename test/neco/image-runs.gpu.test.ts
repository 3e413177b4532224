/** How scores that look into the network are run: skipped aloud, searched, saved in a detector, refused. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { ImageDetector } from "../../src/image-detector.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import {
  auroc,
  createDetector,
  Detector,
  evaluateOod,
  findScore,
  rank,
  scores,
  scoreSource,
  searchParameters,
} from "../../src/neco/index.ts";
import type { CacheEntry, ScoreCache } from "../../src/neco/index.ts";
import { needsImages } from "../../src/neco/score.ts";
import { config, expectClose, IMAGE, randomImages, TinyWorld, transform } from "./images.ts";
import type { ImageSet } from "./images.ts";

let engine: Engine;
let world: TinyWorld;
let far: ImageSet;

beforeAll(async () => {
  engine = await createEngine();
  world = new TinyWorld(engine);
  far = world.set("far", randomImages(9, 4, 0.2));
});
afterAll(() => {
  engine.destroy();
});

const looking = scores.filter(needsImages).map(({ name }) => name);

/** The same samples as bare features. */
const bare = (source: FeatureSource): FeatureSource => {
  const { name, rows, dim, labels, classes, logits } = source;
  const features: FeatureSource["features"] = (start, count) => source.features(start, count);
  return { name, rows, dim, labels, classes, features, logits };
};

function evaluate(changes: {
  ood?: FeatureSource;
  network?: boolean;
  validation?: FeatureSource | null;
}) {
  const { model, head, train, id, validation } = world;
  return evaluateOod({
    ...{ engine, head, train: train.source, id: id.source, methods: ["msp", "odin", "gram"] },
    ood: [{ source: changes.ood ?? far.source, group: "far" }],
    model: changes.network === false ? null : model,
    validation: changes.validation === undefined ? validation.source : changes.validation,
  });
}

describe("evaluation", () => {
  test("bare features skip each score that needs more, with the reason", async () => {
    const { train, id, head } = world;
    const { json } = await evaluateOod({
      ...{ engine, head, train: bare(train.source), id: bare(id.source) },
      ood: [{ source: bare(far.source), group: "far" }],
      methods: ["msp", ...looking],
    });
    expect(Object.keys(json.results)).toEqual(["msp"]);
    expect(Object.keys(json.skipped).sort()).toEqual([...looking].sort());
    for (const reason of Object.values(json.skipped))
      expect(reason).toMatch(/needs images and the network/);
  });
  test("images, network and validation give every score of every set", async () => {
    const { json, scores: vectors } = await evaluate({});
    expect(json.skipped).toEqual({});
    expect(Object.keys(vectors)).toEqual([
      ...["msp/id", "msp/far", "odin/id", "odin/far", "gram/id", "gram/far"],
    ]);
    expect(json.results["odin"]!.params).toEqual({ temperature: 1000, noise: 0.0014 });
  });
  test("a set of features among images", async () => {
    const { json } = await evaluate({ ood: bare(far.source) });
    expect(Object.keys(json.results)).toEqual(["msp"]);
    expect(json.skipped["odin"]).toBe("needs images, and far is a set of features");
  });
  test("no network, and no validation set", async () => {
    const without = await evaluate({ network: false });
    expect(Object.keys(without.json.skipped)).toEqual(["odin", "gram"]);
    const { json } = await evaluate({ validation: null });
    expect(json.skipped).toEqual({ gram: "needs images of an ID validation set" });
    expect(json.results["odin"]).toBeDefined();
  });
  test("progress names the score and counts images, in batches that the network can hold", async () => {
    const { train, id, head, validation } = world;
    const steps: string[] = [];
    await evaluateOod({
      ...{ engine, head, train: train.source, id: id.source, validation: validation.source },
      ood: [{ source: far.source, group: "far" }],
      model: { ...world.model, batch: 4 },
      methods: ["gram"],
      onProgress: (stage, done, total) => steps.push(`${stage} ${done}/${total}`),
    });
    expect(steps).toContain("gram fit 56/60");
    expect(steps).toEqual(expect.arrayContaining(["gram id 4/7", "gram id 7/7", "gram far 9/9"]));
  });
  test("batches change nothing", async () => {
    const { head, id, model } = world;
    const { fitted, scores: whole } = await world.fitted("adascale-l");
    const pass = { engine, head, source: id.source, fitted: [fitted] };
    const cut = await scoreSource({ ...pass, model: { ...model, batch: 2 } });
    expectClose(cut.scores.get("adascale-l")!, Array.from(whole), 1e-6);
  });
});

describe("a cache", () => {
  test("spares what it holds, and nothing that depends on something else", async () => {
    const { head, train, id, validation } = world;
    const keyed = (source: FeatureSource, key: string): FeatureSource => ({ ...source, key });
    const kept = new Map<string, unknown>();
    const made: string[] = [];
    const through = async <T>({ name, key }: CacheEntry, make: () => Promise<T>): Promise<T> => {
      if (!kept.has(name + key)) {
        made.push(name);
        kept.set(name + key, await make());
      }
      return kept.get(name + key) as T; // what `make` gave under this key
    };
    const cache: ScoreCache = { state: through, values: through };
    const run = async (changes: { farKey?: string; temperature?: number }) => {
      made.length = 0;
      return evaluateOod({
        ...{ engine, head, cache, model: world.model, train: keyed(train.source, "train") },
        id: keyed(id.source, "id"),
        validation: keyed(validation.source, "validation"),
        ood: [{ source: keyed(far.source, changes.farKey ?? "far"), group: "far" }],
        methods: ["msp", "odin"],
        options: { methodParams: { odin: { temperature: changes.temperature ?? 1000 } } },
      });
    };
    const first = await run({});
    expect(made).toEqual(["odin-fit", "odin-id", "odin-far"]);
    const second = await run({});
    expect(made).toEqual([]);
    expect(second.scores).toEqual(first.scores);
    await run({ farKey: "other images" });
    expect(made).toEqual(["odin-far"]);
    const hotter = await run({ temperature: 10 });
    expect(made).toEqual(["odin-fit", "odin-id", "odin-far"]);
    expect(hotter.scores["odin/id"]).not.toEqual(first.scores["odin/id"]);
  });
});

describe("search", () => {
  test("tries ODIN's grid on validation images and keeps the first of the best", async () => {
    const { model, head, train, id } = world;
    const base = { engine, model, head };
    const found = await searchParameters({
      ...{ ...base, train: train.source, id: id.source, ood: [far.source] },
      scores: [findScore("odin")],
    });
    const tried: { temperature: number; noise: number; auroc: number }[] = [];
    for (const temperature of [1, 10, 100, 1000])
      for (const noise of [0.0014, 0.0028]) {
        const { fitted, scores: own } = await world.fitted("odin", { temperature, noise });
        const others = await scoreSource({ ...base, source: far.source, fitted: [fitted] });
        const value = auroc(rank(own, others.scores.get("odin")!));
        tried.push({ temperature, noise, auroc: value });
      }
    const best = Math.max(...tried.map((one) => one.auroc));
    const { temperature, noise } = tried.find((one) => one.auroc === best)!;
    expect(found).toEqual({ odin: { temperature, noise } });
  });
  test("leaves scores alone whose validation sets are features", async () => {
    const { model, head, train, id } = world;
    const found = await searchParameters({
      ...{ engine, model, head, train: train.source, id: id.source, ood: [bare(far.source)] },
      scores: [findScore("odin")],
    });
    expect(found).toEqual({});
  });
});

describe("detector", () => {
  const single = { height: 4, width: 4, channels: 3 };
  async function odinDetector(): Promise<{ detector: Detector; scores: Float64Array }> {
    const { fitted, scores: own } = await world.fitted("odin", { temperature: 10 });
    const detector = await createDetector({
      ...{ engine, fitted, validation: world.validation.source, head: world.head },
      network: world.model,
      preprocessing: { ...single, mean: transform.mean, std: transform.std },
      model: { ...config },
      modelArrays: Object.fromEntries(
        [...world.values].map(([name, values]) => [name, { shape: [values.length], values }]),
      ),
    });
    return { detector, scores: own };
  }
  test("judges images as they were scored, before and after its file", async () => {
    const { detector, scores: own } = await odinDetector();
    const direct = await detector.judge(world.id.source);
    expect(direct.map(({ score }) => score)).toEqual(Array.from(own));
    const loaded = await ImageDetector.load(await detector.toBytes(), { engine });
    const images = Array.from(own, (_, k) => world.id.pixels.slice(k * IMAGE, (k + 1) * IMAGE));
    const judged = await loaded.judge(images);
    expectClose(
      judged.map(({ score }) => score),
      Array.from(own),
      1e-6,
    );
    const [alone] = await loaded.judge(images.slice(3, 4));
    expect(alone!.score).toBeCloseTo(own[3]!, 6);
    loaded.dispose();
    detector.dispose();
  });
  test("refuses features, with or without the network", async () => {
    const { detector } = await odinDetector();
    const reason = /odin looks into the network, so it judges images, not features/;
    await expect(detector.judge(bare(world.id.source))).rejects.toThrow(reason);
    const loaded = await Detector.load(await detector.toBytes(), { engine });
    await expect(loaded.judge(world.id.source)).rejects.toThrow(reason);
    loaded.dispose();
    detector.dispose();
  });
});
