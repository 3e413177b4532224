/** Names, options, spectra and files of the scores: everything that needs no GPU. */
import { describe, expect, test } from "vitest";
import { detectorBytes, parseDetector } from "../../src/neco/detectorFile.ts";
import type { DetectorSpec } from "../../src/neco/detectorFile.ts";
import { chooseScores, findScore, scoreOptions, scores, sweepGrid } from "../../src/neco/index.ts";
import { gridOf } from "../../src/neco/parameters.ts";
import { principalDim, principalParameters } from "../../src/neco/principalSpace.ts";
import { dimForVariance, isTied, rankOf } from "../../src/neco/spectrum.ts";

const f64 = (...values: number[]): Float64Array => Float64Array.from(values);

describe("registry", () => {
  test("names and aliases are unique", () => {
    const names = scores.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });
  test("OpenOOD's names are aliases", () => {
    expect(["mls", "ebo", "mds", "MSP"].map((name) => findScore(name).name)).toEqual([
      "maxlogit",
      "energy",
      "mahalanobis",
      "msp",
    ]);
  });
  test("an unknown name gets the nearest one", () => {
    expect(() => findScore("mahalanobs")).toThrow(
      /unknown method "mahalanobs": did you mean mahalanobis\? Known: msp, maxlogit/,
    );
  });
  test("a name unlike all gets the list", () => {
    expect(() => findScore("foo")).toThrow(/unknown method "foo": choose from msp, maxlogit/);
  });
  test("neco brings neco-nologit along, and order is the tables'", () => {
    expect(chooseScores(["neco", "msp", "neco"]).map(({ name }) => name)).toEqual([
      "msp",
      "neco",
      "neco-nologit",
    ]);
    expect(chooseScores("all")).toEqual(scores);
  });
});

describe("options", () => {
  test("defaults", () => {
    expect(scoreOptions()).toMatchObject({ necoDim: "auto", necoMode: "official", rcond: 1e-6 });
  });
  test("what makes no sense is refused", () => {
    expect(() => scoreOptions({ necoDim: 0 })).toThrow(/--neco-dim must be a whole number/);
    expect(() => scoreOptions({ principalDim: 1.5 })).toThrow(/--principal-dim must be a whole/);
    expect(() => scoreOptions({ rcond: -1 })).toThrow(/--rcond must be in \[0, 1\)/);
    expect(() => scoreOptions({ necoMode: "paper", necoDenominator: "standardised" })).toThrow(
      /--neco-denominator standardised goes with --neco-mode official only/,
    );
  });
  test("principal dimensions as published, and half of D where they leave nothing", () => {
    const dims = (preset: "neco" | "vim" | "openood", dim: number): number =>
      principalDim("vim", dim, scoreOptions({ preset })).dim;
    expect([2048, 1024, 768, 512, 64].map((dim) => dims("neco", dim))).toEqual([
      1000, 512, 512, 256, 32,
    ]);
    expect([2048, 768, 512].map((dim) => dims("vim", dim))).toEqual([1000, 512, 256]);
    expect([2048, 256].map((dim) => dims("openood", dim))).toEqual([256, 128]);
    expect(() => principalDim("vim", 64, scoreOptions({ principalDim: 64 }))).toThrow(
      /--principal-dim 64 is not below the 64/,
    );
  });
  test("a D′ of one method goes before that of both, and before the preset", () => {
    const options = scoreOptions({ principalDim: 9, methodParams: { vim: { dim: 7 } } });
    expect(principalDim("vim", 64, options)).toEqual({ dim: 7, rule: "fixed" });
    expect(principalDim("residual", 64, options).dim).toBe(9);
    const published = scoreOptions({
      principalDim: 9,
      methodParams: { vim: { dim: "published" } },
    });
    expect(principalDim("vim", 64, published).dim).toBe(32);
    expect(() =>
      principalDim("vim", 64, scoreOptions({ methodParams: { vim: { dim: 99 } } })),
    ).toThrow(/--param vim\.dim=99 is not below the 64/);
  });
  test("a search tries OpenOOD's D′ and the published one below D, unless one was given", () => {
    const gridFor = (method: "vim" | "residual", dim: number, given = {}): unknown[] =>
      gridOf(principalParameters(method), { dim, options: scoreOptions(given) }).map(
        ({ dim: value }) => value,
      );
    expect(gridFor("vim", 2048, { preset: "openood" })).toEqual([256, 1000]);
    expect(gridFor("residual", 2048, { preset: "openood" })).toEqual([256, 512, 1000]);
    expect(gridFor("vim", 1024)).toEqual([256, 512, 1000]);
    expect(gridFor("vim", 768)).toEqual([256, 512]);
    expect(gridFor("vim", 256)).toEqual([128]);
    expect(gridFor("vim", 2048, { principalDim: 300 })).toEqual([undefined]);
  });
});

describe("spectra", () => {
  test("auto d: smallest below D that explains 90 %", () => {
    expect(dimForVariance(f64(6, 3, 1), 0.9)).toBe(2);
    expect(dimForVariance(f64(1, 1, 1), 0.9)).toBe(2); // would be 3 = D
    expect(dimForVariance(f64(10, 0, 0), 0.9)).toBe(1);
  });
  test("ties and ranks", () => {
    expect(isTied(f64(4, 2, 2, 1), 2)).toBe(true);
    expect(isTied(f64(4, 2, 1.9, 1), 2)).toBe(false);
    expect(rankOf(f64(1, 1e-3, 1e-7, -1e-9), 1e-6)).toBe(2);
  });
  test("sweep grids stay below D", () => {
    expect(sweepGrid(8)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(sweepGrid(768).slice(0, 2)).toEqual([20, 40]);
    expect(sweepGrid(768).at(-1)).toBe(760);
    expect(sweepGrid(640).at(-1)).toBe(630);
    expect(sweepGrid(2)).toEqual([1]);
  });
});

describe("detector file", () => {
  const spec: DetectorSpec = {
    method: "vim",
    state: {
      arrays: { rest: { shape: [2, 1], values: Float32Array.from([1, -2]) } },
      params: { alpha: 1.25, rule: "half of D", max_logit: true },
      warnings: ["careful"],
    },
    threshold: -0.1234567890123,
    recall: 0.95,
    validationCount: 40,
    dim: 2,
    head: { weight: Float32Array.from([1, 2, 3, 4]), bias: null, classes: 2, dim: 2 },
    classes: ["cat", "dög"],
    preprocessing: { mean: [0.5], size: 28 },
    model: null,
    modelArrays: { "blocks.0.w": { shape: [1], values: Float32Array.from([7]) } },
  };
  test("round trip, to the last digit", async () => {
    expect(await parseDetector(await detectorBytes(spec), "d.safetensors")).toEqual(spec);
  });
  test("other files are refused", async () => {
    const { serialiseSafetensors } = await import("../../src/io/index.ts");
    const bytes = await serialiseSafetensors({}, { schema: "else" });
    await expect(parseDetector(bytes, "x.safetensors")).rejects.toThrow(
      /x\.safetensors: holds no detector: its schema is else/,
    );
  });
});
