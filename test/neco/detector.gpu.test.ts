/** Detectors: threshold, file, judgement. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import { createDetector, Detector, findScore, fitScores, scores } from "../../src/neco/index.ts";
import type { FittedScore } from "../../src/neco/index.ts";
import { needsImages, needsPeers } from "../../src/neco/score.ts";
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

async function fitted(name: string): Promise<FittedScore> {
  const scores = [findScore(name)];
  const fit = await fitScores({ engine, train: plain.train, head: plain.head, scores });
  return fit.fitted[0]!;
}

const all = (source: FeatureSource): Promise<Float32Array> => source.features(0, source.rows);

describe("detector", () => {
  test.each(["neco", "residual"])("%s outlives another one of the same fit", async (name) => {
    const input = {
      engine,
      fitted: await fitted(name),
      validation: plain.test,
      head: plain.head,
    };
    const [one, other] = [await createDetector(input), await createDetector(input)];
    const before = await other.judge(plain.near);
    one.dispose();
    one.dispose();
    expect(await other.judge(plain.near)).toEqual(before);
    other.dispose();
  });

  test.each(
    scores.filter((score) => !needsImages(score) && !needsPeers(score)).map(({ name }) => name),
  )("%s keeps 19 of 20 validation samples and survives its file", async (name) => {
    const detector = await createDetector({
      engine,
      fitted: await fitted(name),
      validation: plain.test,
      head: plain.head,
      classes: ["a", "b", "c", "d", "e", "f"],
      preprocessing: { size: 28 },
    });
    const own = await detector.judge(plain.test);
    const kept = own.filter(({ isOod }) => !isOod);
    const equals = kept.filter(({ score }) => score === detector.spec.threshold);
    expect(kept.length).toBeGreaterThanOrEqual(Math.floor(0.95 * 200));
    expect(kept.length - equals.length).toBeLessThan(Math.floor(0.95 * 200));
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
  });
  test("judgements come block by block, in order", async () => {
    const detector = await createDetector({
      engine,
      fitted: await fitted("msp"),
      validation: plain.test,
      head: plain.head,
    });
    const features = new Float32Array(3000 * 32).map((_, index) => Math.sin(index));
    const source = memoryFeatures("many", { features, dim: 32 });
    const starts: number[] = [];
    const scores: number[] = [];
    await detector.judgeEach(source, (part, start) => {
      expect(start).toBe(scores.length);
      starts.push(start);
      scores.push(...part.map(({ score }) => score));
    });
    expect(starts).toEqual([0, 1000, 2000]);
    expect(scores).toEqual((await detector.judge(source)).map(({ score }) => score));
    const stop = detector.judgeEach(source, () => Promise.reject(new Error("enough")));
    await expect(stop).rejects.toThrow("enough");
    detector.dispose();
  });
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
