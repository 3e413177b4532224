/** A detector with the Vision Transformer that makes its features: images in, judgements out. */
import { convertImage } from "./data/convert.ts";
import { readImage } from "./data/folder.ts";
import { flatten, imageBytes } from "./data/resize.ts";
import type { Geometry } from "./data/resize.ts";
import { decodeImage } from "#platform";
import { createEngine, ParamSet } from "./engine/index.ts";
import type { Engine } from "./engine/index.ts";
import { vitImageModel } from "./image-model.ts";
import { isRecord } from "./io/json.ts";
import { Detector } from "./neco/index.ts";
import type { DetectorLoadOptions, DetectorSpec, FeatureModel, Judgement } from "./neco/index.ts";
import { DataError, FormatError } from "./util/errors.ts";
import { storedConfig, paramSpecs, Predictor } from "./vit/index.ts";

/** Decoded pixels, as `ImageData` has them: red, green, blue, alpha. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** What {@link ImageDetector.detect} takes: a path or URL, a file's bytes, or something drawn. */
export type ImageInput = string | Uint8Array | Blob | RgbaImage | DrawableImage;

/** Whatever a browser can draw on a canvas and that knows its size. */
export type DrawableImage = ImageBitmap | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas;

const WHITE = 255; // under transparent pixels
const BATCH = 32; // images of a forward pass
const PASSAGE = 8192; // pixels drawn at most along a side; larger images come as files

const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);

const isRgba = (input: RgbaImage | DrawableImage): input is RgbaImage =>
  "data" in input && ArrayBuffer.isView(input.data);

function drawn(image: DrawableImage): RgbaImage {
  const { width, height } = image;
  if (typeof OffscreenCanvas === "undefined" || width > PASSAGE || height > PASSAGE)
    throw new DataError("this host cannot draw images: give a path, a file's bytes or ImageData");
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new DataError("this browser gives no 2-D canvas: give a file's bytes");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** Any input as pixels of the model's geometry. u8 [H, W, C] */
async function pixelsOf(input: ImageInput, to: Geometry): Promise<Uint8Array> {
  if (typeof input === "string") return readImage(input, to);
  const rgba = await rgbaOf(input);
  const { width, height, data } = rgba;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return convertImage(flatten(bytes, WHITE), { height, width, channels: 3 }, to);
}

async function rgbaOf(input: Exclude<ImageInput, string>): Promise<RgbaImage> {
  if (input instanceof Uint8Array || input instanceof Blob) {
    const file = input instanceof Blob ? new Uint8Array(await input.arrayBuffer()) : input;
    const { width, height, rgba } = await decodeImage(file);
    return { width, height, data: rgba };
  }
  return isRgba(input) ? input : drawn(input);
}

/**
 * Judges images of any size with the model and preprocessing of its file. Lives until disposed,
 * whatever scope it was made in.
 */
export class ImageDetector {
  /** Size and channels that the model wants. */
  readonly geometry: Geometry;
  private readonly engine: Engine;
  private readonly detector: Detector;
  private readonly params: ParamSet;
  private readonly predictor: Predictor;

  /**
   * Use {@link ImageDetector.load}, or this for a detector in memory.
   * @throws FormatError if it carries no model.
   */
  constructor(engine: Engine, spec: DetectorSpec, batch = BATCH) {
    const { preprocessing: input, model, modelArrays } = spec;
    if (!isRecord(input) || !isRecord(model) || Object.keys(modelArrays).length === 0)
      throw new FormatError(
        "detector",
        "carries no model, so it judges features only; save one with neco ood --run",
      );
    const config = storedConfig(model); // written beside these weights
    const values = new Map(
      Object.entries(modelArrays).map(([name, array]) => [name, array.values]),
    );
    this.geometry = {
      height: Number(input["height"]),
      width: Number(input["width"]),
      channels: input["channels"] === 1 ? 1 : 3,
    };
    const { imageSize } = config;
    const statistics = { mean: numbers(input["mean"]), std: numbers(input["std"]) };
    const transform = { ...this.geometry, ...statistics, imageSize, augmentation: null };
    this.engine = engine;
    [this.detector, this.params] = engine.detached(() => {
      const params = new ParamSet(engine, paramSpecs(config, values));
      const network = vitImageModel(engine, { config, weights: params, transform });
      return [new Detector(engine, spec, { network }), params];
    });
    this.predictor = new Predictor(engine, { config, weights: this.params, transform }, batch);
  }

  /**
   * Loads a detector file from a path, a URL or bytes.
   * @throws FormatError if it is no detector file, or carries no model.
   * @throws DataError if it cannot be read.
   */
  static async load(
    source: string | Uint8Array,
    options: DetectorLoadOptions = {},
  ): Promise<ImageDetector> {
    const engine = options.engine ?? (await createEngine());
    const loaded = await Detector.load(source, { ...options, engine });
    loaded.dispose(); // only its file's content is needed
    return new ImageDetector(engine, loaded.spec);
  }

  /** The method, its threshold and what else the file says. */
  get spec(): DetectorSpec {
    return this.detector.spec;
  }

  /**
   * Judges one image, or a batch in order: label, probabilities, score, threshold, in or out.
   * @throws DataError if an image cannot be decoded.
   */
  async detect(input: ImageInput): Promise<Judgement>;
  async detect(inputs: readonly ImageInput[]): Promise<Judgement[]>;
  async detect(input: ImageInput | readonly ImageInput[]): Promise<Judgement | Judgement[]> {
    const inputs = Array.isArray(input) ? (input as readonly ImageInput[]) : [input as ImageInput];
    const images = await Promise.all(inputs.map((image) => pixelsOf(image, this.geometry)));
    const judgements = await this.judge(images);
    const [first] = judgements;
    return Array.isArray(input) || !first ? judgements : first;
  }

  /** Judges pixels that have the model's geometry already. u8 [H, W, C] each */
  judge(images: readonly Uint8Array[]): Promise<Judgement[]> {
    const size = imageBytes(this.geometry);
    const joined = (batch: readonly Uint8Array[]): Uint8Array => {
      const pixels = new Uint8Array(batch.length * size);
      batch.forEach((image, index) => {
        pixels.set(image, index * size);
      });
      return pixels;
    };
    const run = async (
      batch: readonly Uint8Array[],
    ): ReturnType<FeatureModel<Uint8Array>["run"]> => ({
      ...(await this.predictor.predict(joined(batch))),
      images: (start, count) => Promise.resolve(joined(batch.slice(start, start + count))),
    });
    return this.engine.scope(() => this.detector.detect({ run }, images));
  }

  /** The detector as a file that `neco detect` reads too. */
  toBytes(): Promise<Uint8Array> {
    return this.detector.toBytes();
  }

  /** Gives the memory back. */
  dispose(): void {
    this.detector.dispose();
    this.predictor.dispose();
    this.params.dispose();
  }
}
