/** The hyper-parameter search against trying every combination by hand; quantiles that it shares. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { evaluateOod, findScore, searchParameters } from "../../src/neco/index.ts";
import type { MethodParams } from "../../src/neco/index.ts";
import { normal } from "../../src/util/random.ts";
import { openRegime } from "./regimes.ts";
import type { RegimeData } from "./regimes.ts";

let engine: Engine;
let data: RegimeData;
beforeAll(async () => {
  engine = await createEngine();
  data = await openRegime("heavy");
});
afterAll(() => {
  engine.destroy();
});

async function meanAuroc(method: string, methodParams: MethodParams): Promise<number> {
  const { train, test: id, near, far, head } = data;
  const { json } = await evaluateOod({
    ...{ engine, train, id, head, methods: [method], options: { methodParams } },
    ood: [
      { source: near, group: "near" },
      { source: far, group: "far" },
    ],
  });
  return json.results[method]!.average!.auroc;
}

function search(methods: readonly string[], methodParams: MethodParams = {}) {
  const { train, test: id, near, far, head } = data;
  const scores = methods.map((name) => findScore(name));
  const rounds: number[] = [];
  const found = searchParameters({
    ...{ engine, train, head, id, ood: [near, far], scores, options: { methodParams } },
    onProgress: (_stage, done, total) => rounds.push(done / total),
  });
  return found.then((params) => ({ params, rounds }));
}

describe("search", () => {
  test("finds what trying every value finds, several methods at once", async () => {
    const { params, rounds } = await search(["msp", "react", "knn"]);
    expect(rounds).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect(Object.keys(params).sort()).toEqual(["knn", "react"]);
    const grids = {
      react: ["quantile", [0.85, 0.9, 0.95, 0.99]],
      knn: ["k", [50, 100, 200, 500, 1000]],
    } as const;
    for (const [method, [name, values]] of Object.entries(grids)) {
      const means: number[] = [];
      for (const value of values)
        means.push(await meanAuroc(method, { [method]: { [name]: value } }));
      const best = values[means.indexOf(Math.max(...means))];
      expect(params[method], method).toEqual({ [name]: best });
    }
  });
  test("combinations of two parameters; what is given is not searched", async () => {
    const { params } = await search(["vra"], { vra: { low: 0.1 } });
    expect(params["vra"]!["low"]).toBe(0.1);
    const means: number[] = [];
    const highs = [0.85, 0.9, 0.95, 0.99];
    for (const high of highs) means.push(await meanAuroc("vra", { vra: { low: 0.1, high } }));
    expect(params["vra"]!["high"]).toBe(highs[means.indexOf(Math.max(...means))]);
  });
  test("D′ of ViM and Residual, each its own, among those below D", async () => {
    const [DIM, CLASSES] = [260, 4];
    // 200 directions hold what ID features do; OOD ones leave them, or fill them by other shares.
    const made = (name: string, rows: number, seed: number, past: number): FeatureSource => {
      const noise = normal(rows * DIM, { seed });
      const features = noise.map((value, index) => value * (index % DIM < 200 ? 1 : past));
      const labels = Int32Array.from({ length: rows }, (_, row) => row % CLASSES);
      return memoryFeatures(name, { features, dim: DIM, labels });
    };
    const head: Head = {
      weight: normal(CLASSES * DIM, { seed: 9 }),
      bias: null,
      classes: CLASSES,
      dim: DIM,
    };
    const train = made("train", 600, 1, 0.05);
    const id = made("val", 90, 2, 0.05);
    const ood = [made("v", 90, 3, 0.2), made("w", 90, 4, 0.1)];
    const asked = { engine, train, id, head };
    const scores = [findScore("vim"), findScore("residual")];
    const params = await searchParameters({ ...asked, ood, scores });
    const sets = ood.map((source) => ({ source, group: "far" as const }));
    for (const method of ["vim", "residual"]) {
      const means: number[] = [];
      for (const dim of [130, 256]) {
        const options = { methodParams: { [method]: { dim } } };
        const { json } = await evaluateOod({ ...asked, methods: [method], options, ood: sets });
        expect(json.results[method]!.params["principal_dim"]).toBe(dim);
        means.push(json.results[method]!.average!.auroc);
      }
      expect(Math.abs(means[0]! - means[1]!), method).toBeGreaterThan(0.01);
      expect(params[method], method).toEqual({ dim: means[0]! >= means[1]! ? 130 : 256 });
    }
    const options = { principalDim: 200 };
    expect(await searchParameters({ ...asked, ood, scores, options })).toEqual({});
  });
  test("a parameter that does not exist, or a value out of range", async () => {
    await expect(search(["react"], { react: { quantil: 1 } })).rejects.toThrow(
      /react has no parameter "quantil": quantile/,
    );
    await expect(search(["react"], { react: { quantile: 2 } })).rejects.toThrow(
      /react.quantile must be a number in \[0, 1\]; got 2/,
    );
  });
});
