/** Ensembles of several models' logits against float64: both means, metrics, detectors, and why they are skipped. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { createDetector, Detector, findScore, fitScores } from "../../src/neco/index.ts";
import type { Evaluation, MethodParams } from "../../src/neco/index.ts";
import { normal } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";
import { auroc64, ensemble64, evaluateRegime, expectScores, rowsOf } from "./more-scores.ts";
import { openRegime, regimes } from "./regimes.ts";
import type { Regime, RegimeData } from "./regimes.ts";

let engine: Engine;
const data = new Map<Regime, RegimeData>();
beforeAll(async () => {
  engine = await createEngine();
  for (const regime of regimes) data.set(regime, await openRegime(regime));
});
afterAll(() => {
  engine.destroy();
});

const all = (source: FeatureSource): Promise<Float32Array> => source.features(0, source.rows);

const evaluate = (
  regime: Regime,
  change?: (source: FeatureSource) => FeatureSource,
  params: MethodParams[string] = {},
): Promise<Evaluation> => evaluateRegime(engine, data.get(regime)!, "ensemble", params, change);

/** Logits of heads near the regime's own: models that agree more or less. */
async function peersOf(source: FeatureSource, head: Head, count: number): Promise<Float32Array[]> {
  const rows = rowsOf(await all(source), head.dim);
  return Array.from({ length: count }, (_, model) => {
    const noise = normal(head.weight.length, { seed: 3, stream: model, std: 0.3 });
    const weights = rowsOf(
      head.weight.map((w, k) => w + at(noise, k)),
      head.dim,
    );
    return Float32Array.from(
      rows.flatMap((h) => weights.map((w) => w.reduce((sum, v, j) => sum + v * at(h, j), 0))),
    );
  });
}

/** A source whose rows further models have seen. */
const withPeers = (source: FeatureSource, peers: readonly Float32Array[]): FeatureSource => ({
  ...source,
  peerLogits: peers.map(
    (logits) => (start: number, count: number) =>
      Promise.resolve(logits.slice(start * 6, (start + count) * 6)),
  ),
});

describe.each(["plain", "heavy", "collapsed"] as const)("ensemble, %s", (regime) => {
  test.each(["logits", "probabilities"] as const)("mean of %s", async (mean) => {
    const { test: id, near, far, head } = data.get(regime)!;
    const want = new Map<string, number[]>();
    const seen = new Map<string, FeatureSource>();
    for (const source of [id, near, far]) {
      const peers = await peersOf(source, head, 2);
      const own = rowsOf(await all(source), 32).map((h) =>
        rowsOf(head.weight, 32).map(
          (w, c) => w.reduce((sum, v, j) => sum + v * at(h, j), 0) + (head.bias?.[c] ?? 0),
        ),
      );
      want.set(source.name, ensemble64([own, ...peers.map((z) => rowsOf(z, 6))], mean));
      seen.set(source.name, withPeers(source, peers));
    }
    const params = mean === "logits" ? {} : { mean };
    const run = await evaluate(regime, ({ name }) => seen.get(name)!, params);
    await expectScores(run, "ensemble", (set) => Promise.resolve(want.get(set)!), 1e-4);
    expect(run.json.config["ensemble_models"]).toBe(3);
    for (const set of ["near", "far"]) {
      const wanted = auroc64(want.get("test")!, want.get(set)!);
      const got = run.json.results["ensemble"]!.sets[set]!.auroc;
      expect(Math.abs(got - wanted)).toBeLessThanOrEqual(5e-4);
    }
  });
});

describe("ensemble", () => {
  test("is skipped with the reason where a set is of one model", async () => {
    const { test: id, head } = data.get("plain")!;
    expect((await evaluate("plain")).json.skipped["ensemble"]).toMatch(
      /^needs logits of further models for the same samples: evaluate a run, with --ensemble RUN/,
    );
    const peers = await peersOf(id, head, 1);
    const onlyId = (source: FeatureSource): FeatureSource =>
      source.name === "test" ? withPeers(source, peers) : source;
    const run = await evaluate("plain", onlyId);
    expect(run.json.skipped["ensemble"]).toMatch(/; near is of one model$/);
  });
  test("refuses logits of other classes, and NaN", async () => {
    const five = (source: FeatureSource): FeatureSource => ({
      ...source,
      peerLogits: [(_, count) => Promise.resolve(new Float32Array(5 * count))],
    });
    await expect(evaluate("plain", five)).rejects.toThrow(
      /test: the logits of further model 1 are not of 6 classes for each sample/,
    );
    const bad = (source: FeatureSource): FeatureSource => ({
      ...source,
      peerLogits: [(_, count) => Promise.resolve(new Float32Array(6 * count).fill(NaN))],
    });
    await expect(evaluate("plain", bad)).rejects.toThrow(/hold NaN or infinite/);
  });
  test("a detector judges with the further models, and survives its file", async () => {
    const { train, test: id, near, head } = data.get("plain")!;
    const { fitted } = await fitScores({ engine, train, head, scores: [findScore("ensemble")] });
    const [validation, other] = await Promise.all(
      [id, near].map(async (source) => withPeers(source, await peersOf(source, head, 2))),
    );
    const own = { engine, fitted: fitted[0]!, head };
    const detector = await createDetector({ ...own, validation: validation! });
    const loaded = await Detector.load(await detector.toBytes(), { engine });
    expect(await loaded.judge(other!)).toEqual(await detector.judge(other!));
    await expect(loaded.judge(near)).rejects.toThrow(/this score needs logits of further models/);
    detector.dispose();
    loaded.dispose();
  });
});
