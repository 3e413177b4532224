/** Pretrained weights in Google's and timm's layouts give torchvision's logits. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, ParamSet } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { loadFloats, openArrays } from "../../src/io/index.ts";
import { at } from "../../src/util/shape.ts";
import {
  initialSource,
  loadWeights,
  paramSpecs,
  Predictor,
  vitConfig,
} from "../../src/vit/index.ts";
import type { ViTConfig } from "../../src/vit/index.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const fixture = (file: string): string =>
  fileURLToPath(new URL(`../fixtures/vit/${file}`, import.meta.url));

const SMALL: ViTConfig = {
  ...vitConfig("ViT-B_16"),
  name: "fixture",
  imageSize: 24,
  patch: 8,
  dim: 16,
  depth: 2,
  heads: 2,
  mlp: 32,
  classes: 5,
};

async function array(path: string, name: string): Promise<Float32Array> {
  const store = await openArrays(path);
  const stored = await store.find(name);
  if (!stored) throw new Error(`${path} lacks ${name}`);
  return loadFloats(stored);
}

async function predict(config: ViTConfig, weights: string, expected: string) {
  const { values, report } = await loadWeights(weights, config, initialSource(config, 1));
  const pixels = Uint8Array.from(await array(expected, "pixels"));
  const { imageSize } = config;
  const transform = {
    height: imageSize,
    width: imageSize,
    channels: 3,
    imageSize,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    augmentation: null,
  };
  const params = new ParamSet(engine, paramSpecs(config, values));
  const predictor = new Predictor(engine, { config, weights: params, transform }, 2);
  return { prediction: await predictor.predict(pixels), report };
}

function expectClose(got: Float32Array, want: Float32Array): void {
  const scale = want.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const error = want.reduce((worst, value, k) => Math.max(worst, Math.abs(value - at(got, k))), 0);
  expect(got.length).toBe(want.length);
  expect(error / scale).toBeLessThanOrEqual(1e-4);
}

describe.each(["google.npz", "timm.safetensors"])("%s", (file) => {
  it("gives torchvision's features and logits", async () => {
    const expected = fixture("expected.npz");
    const { prediction, report } = await predict(SMALL, fixture(file), expected);
    expectClose(prediction.features, await array(expected, "features"));
    expectClose(prediction.logits, await array(expected, "logits"));
    expect(report).toEqual({ headReplaced: false, positionsResized: null, unknown: [] });
  });

  it("gets a new head and new positions for other data", async () => {
    const config = { ...SMALL, classes: 3, imageSize: 40 };
    const initial = initialSource(config, 1);
    const { values, report } = await loadWeights(fixture(file), config, initial);
    expect(report.headReplaced).toBe(true);
    expect(report.positionsResized).toEqual({ from: 3, to: 5 });
    expect(values.get("head.weight")).toEqual(initial.get("head.weight"));
    expect(values.get("pos_embed")?.length).toBe(26 * 16);
  });

  it("names what does not fit", async () => {
    const config = { ...SMALL, mlp: 48 };
    await expect(loadWeights(fixture(file), config, initialSource(config, 1))).rejects.toThrow(
      /does not hold weights of fixture: .*48.*; choose the matching --model/,
    );
  });
});

const full = process.env["NECO_VIT_B16_DIR"]; // made by test/golden/make_pretrained.py --full DIR

describe.skipIf(full === undefined || !existsSync(full))("ViT-B/16 at full size", () => {
  it.each(["google.npz", "timm.safetensors"])("%s gives torchvision's logits", async (file) => {
    const expected = `${full ?? ""}/expected.npz`;
    const { prediction } = await predict(vitConfig("ViT-B_16"), `${full ?? ""}/${file}`, expected);
    expectClose(prediction.logits, await array(expected, "logits"));
  });
});
