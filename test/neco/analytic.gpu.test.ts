/** Scores whose value is known by hand; identities.gpu.test.ts has what holds on any data. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { findScore, fitScores, scoreSource } from "../../src/neco/index.ts";
import { originOf } from "../../src/neco/headOrigin.ts";
import { makeRegime } from "./made.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** GradNorm of rows [N, D] under a head. */
async function gradnorm(source: FeatureSource, head: Head): Promise<number[]> {
  const scores = [findScore("gradnorm")];
  const { fitted } = await fitScores({ engine, train: source, head, scores });
  const got = await scoreSource({ engine, source, head, fitted });
  return [...got.scores.get("gradnorm")!];
}

const features = Float32Array.from([1, -2, 3, 0.5, 0.25, -1]);
const rows = memoryFeatures("rows", { features, dim: 3 });
const lengths = [6, 1.75]; // ‖h‖₁

test("GradNorm of uniform p is 0", async () => {
  const head = { weight: new Float32Array(4 * 3), bias: null, classes: 4, dim: 3 };
  expect(await gradnorm(rows, head)).toEqual([0, 0]);
});

test("GradNorm of one-hot p is 2 (C − 1) ‖h‖₁", async () => {
  const bias = Float32Array.from([0, 0, 400, 0]);
  const got = await gradnorm(rows, { weight: new Float32Array(12), bias, classes: 4, dim: 3 });
  got.forEach((score, row) => {
    expect(score).toBeCloseTo(2 * 3 * lengths[row]!, 5);
  });
});

test("where W has full row rank, ViM's origin u solves W u + b = 0", async () => {
  for (const name of ["duplicate", "wide", "balanced"]) {
    const { head } = makeRegime(name);
    const { weight, bias, dim } = head;
    const { origin, rank } = await originOf(engine, head, 1e-6);
    expect(rank).toBe(head.classes);
    expect(origin.some((value) => value !== 0)).toBe(true);
    bias!.forEach((b, c) => {
      const along = origin.reduce((sum, u, j) => sum + u * weight[c * dim + j]!, 0);
      expect(Math.abs(along + b), `${name}, class ${c}`).toBeLessThan(1e-9);
    });
  }
});

test("a zero row and a row at the training mean have finite scores", async () => {
  const { train, head } = makeRegime("pair");
  const { train: statistics } = await fitScores({ engine, train, head, scores: [] });
  const features = new Float32Array(4 * train.dim);
  features.set(statistics.mean, train.dim);
  const source = memoryFeatures("edge", { features, dim: train.dim });
  const scores = ["she", "fdbd", "nci"].map((name) => findScore(name));
  for (const norm of ["raw", "centred"]) {
    const methodParams = { she: { likeness: "cosine" }, fdbd: { norm } };
    const { fitted } = await fitScores({ engine, train, head, scores, options: { methodParams } });
    const got = await scoreSource({ engine, source, head, fitted });
    for (const [name, values] of got.scores)
      expect(values.every(Number.isFinite), `${name}, fDBD ${norm}: ${values.join()}`).toBe(true);
  }
});

test("rows of W that add up to zero count as one direction less, whatever its b wants", async () => {
  const { head } = makeRegime("singular");
  const { origin, rank } = await originOf(engine, head, 1e-6);
  expect(rank).toBe(head.classes - 1);
  expect(Math.hypot(...origin)).toBeLessThan(100); // along that direction u would be 10⁷ away
});

test("NECO without the logit never falls as d grows, and is 1 at d = D", async () => {
  const { train, test: source, head } = makeRegime("pair");
  const wide = makeRegime("duplicate");
  for (const data of [
    { train, source, head },
    { ...wide, source: wide.test },
  ]) {
    const score = findScore("neco-nologit");
    const fit = await fitScores({ engine, train: data.train, head: data.head, scores: [score] });
    const { state } = fit.fitted[0]!;
    let before: Float64Array = new Float64Array(data.source.rows);
    for (let d = 1; d <= data.train.dim; d++) {
      const fitted = [{ score, state: { ...state, params: { ...state.params, d } } }];
      const pass = { engine, source: data.source, head: data.head, fitted };
      const ratios = (await scoreSource(pass)).scores.get("neco-nologit")!;
      ratios.forEach((ratio, row) => {
        expect(ratio).toBeGreaterThanOrEqual(before[row]!);
      });
      before = ratios;
    }
    expect([...new Set(before)]).toEqual([1]);
  }
});
