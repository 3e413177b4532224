/** A tiny ViT with random weights and images for it: what scores that look into a network are tried on. */
import { expect } from "vitest";
import { ParamSet } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { vitImageModel } from "../../src/image-model.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { findScore, fitScores, scoreSource } from "../../src/neco/index.ts";
import type { FittedScore, ImageModel, MethodParams } from "../../src/neco/index.ts";
import { generator, normal } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";
import { initialValues, paramSpecs, vitConfig } from "../../src/vit/index.ts";
import type { ParamValues } from "../../src/vit/index.ts";
import { argmax64, Vit64 } from "./vit64.ts";

export const config = {
  ...vitConfig("ViT-B_16"),
  ...{ name: "tiny", imageSize: 4, patch: 2, channels: 3 },
  ...{ dim: 8, depth: 3, heads: 2, mlp: 12, classes: 4 },
};

export const transform = {
  ...{ height: 4, width: 4, channels: 3, imageSize: 4, augmentation: null },
  mean: [0.5, 0.45, 0.4],
  std: [0.25, 0.2, 0.3],
};

/** Bytes of one image. */
export const IMAGE = 4 * 4 * 3;

/** Fresh weights leave biases at zero and norms at one, where mistakes hide: these do not. */
function randomValues(): ParamValues {
  const values = new Map<string, Float32Array>();
  let stream = 1000;
  for (const [name, initial] of initialValues(config, 5)) {
    const noise = normal(initial.length, { seed: 5, stream: stream++, std: 0.2 });
    const gain = /proj|fc|qkv|head/.test(name) ? 2 : 1;
    values.set(
      name,
      initial.map((value, k) => gain * value + at(noise, k)),
    );
  }
  return values;
}

/** Images of random brightness, contrast and stripes. u8 [count · 48] */
export function randomImages(count: number, seed: number, contrast = 1): Uint8Array {
  const next = generator({ seed });
  const pixels = new Uint8Array(count * IMAGE);
  for (let image = 0; image < count; image++) {
    const [base, swing, stripes] = [60 + 120 * next(), 90 * contrast * next(), 1 + 3 * next()];
    for (let k = 0; k < IMAGE; k++) {
      const wave = Math.sin(stripes * k) + 0.7 * (2 * next() - 1);
      pixels[image * IMAGE + k] = Math.max(0, Math.min(255, Math.round(base + swing * wave)));
    }
  }
  return pixels;
}

/** A set of images with features and logits of the float64 model, rounded as files hold them. */
export interface ImageSet {
  readonly pixels: Uint8Array;
  readonly xs: readonly (readonly number[])[];
  readonly features: readonly (readonly number[])[];
  readonly logits: readonly (readonly number[])[];
  readonly labels: Int32Array;
  readonly source: FeatureSource;
}

/** All values within a share of the largest. */
export function expectClose(
  got: ArrayLike<number>,
  want: readonly number[],
  tolerance: number,
): void {
  expect(got.length).toBe(want.length);
  const scale = Math.max(...want.map(Math.abs));
  const worst = Math.max(...want.map((value, k) => Math.abs(value - at(got, k))));
  expect(worst / scale).toBeLessThanOrEqual(tolerance);
}

/** Everything that a test of image scores needs. */
export class TinyWorld {
  readonly values = randomValues();
  readonly oracle = new Vit64(config, this.values, transform);
  readonly model: ImageModel;
  readonly head: Head;
  readonly params: ParamSet;
  readonly train: ImageSet;
  readonly validation: ImageSet;
  readonly id: ImageSet;
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
    this.params = new ParamSet(engine, paramSpecs(config, this.values));
    this.model = vitImageModel(engine, { config, weights: this.params, transform });
    const { dim, classes } = config;
    const stored = this.values.get("head.weight")!; // [D, C]
    const weight = Float32Array.from({ length: dim * classes }, (_, k) =>
      at(stored, (k % dim) * classes + Math.floor(k / dim)),
    );
    this.head = { weight, bias: this.values.get("head.bias")!, classes, dim };
    this.train = this.set("train", randomImages(60, 1));
    this.validation = this.set("validation", randomImages(13, 2));
    this.id = this.set("id", randomImages(7, 3, 1.3));
  }

  /** The fitted score of a method, and what it says of the ID set. */
  async fitted(
    method: string,
    params: MethodParams[string] = {},
  ): Promise<{ readonly fitted: FittedScore; readonly scores: Float64Array }> {
    const { engine, model, head } = this;
    const fit = await fitScores({
      ...{ engine, model, head, train: this.train.source, validation: this.validation.source },
      scores: [findScore(method)],
      options: { methodParams: { [method]: params } },
    });
    expect(fit.skipped).toEqual({});
    const [fitted] = fit.fitted;
    const { scores } = await scoreSource({
      ...{ engine, model, head, source: this.id.source },
      fitted: fit.fitted,
    });
    return { fitted: fitted!, scores: scores.get(method)! };
  }

  /** What a method says of the ID set. */
  async scoresOf(method: string, params: MethodParams[string] = {}): Promise<Float64Array> {
    return (await this.fitted(method, params)).scores;
  }

  /** Labels are the predictions, but every fifth is wrong. */
  set(name: string, pixels: Uint8Array): ImageSet {
    const xs = Array.from({ length: pixels.length / IMAGE }, (_, k) =>
      this.oracle.input(pixels.subarray(k * IMAGE, (k + 1) * IMAGE)),
    );
    const outputs = xs.map((x) => this.oracle.forward(x));
    const features = outputs.map((out) => out.features);
    const logits = outputs.map((out) => out.logits);
    const labels = Int32Array.from(logits, (z, k) => (argmax64(z) + (k % 5 === 4 ? 1 : 0)) % 4);
    const source = memoryFeatures(name, {
      features: Float32Array.from(features.flat()),
      logits: Float32Array.from(logits.flat()),
      dim: config.dim,
      labels,
      images: (start, count) =>
        Promise.resolve(pixels.slice(start * IMAGE, (start + count) * IMAGE)),
    });
    return { pixels, xs, features, logits, labels, source };
  }
}
