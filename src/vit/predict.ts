/** Features, logits, loss and accuracy of whole splits, in evaluation mode. */
import { program } from "../engine/index.ts";
import type { Engine, Program, Tensor } from "../engine/index.ts";
import type { Split } from "../data/dataset.ts";
import { ELEMENT_BYTES } from "../util/shape.ts";
import { tokenCount } from "./config.ts";
import type { ViTConfig } from "./config.ts";
import { ViT } from "./model.ts";
import type { Weights } from "./model.ts";
import type { BatchTensors } from "./step.ts";
import { imageTensor, packPixels } from "./transform.ts";
import type { Transform } from "./transform.ts";

/** What the model says of a batch. Row-major. */
export interface Prediction {
  /** [count, D] */
  readonly features: Float32Array;
  /** [count, C] */
  readonly logits: Float32Array;
  readonly count: number;
}

/** Mean cross-entropy and share of correct predictions. */
export interface Evaluation {
  readonly loss: number;
  readonly accuracy: number;
  readonly count: number;
}

interface Outputs {
  readonly features: Tensor;
  readonly logits: Tensor;
  readonly loss: Tensor;
  readonly correct: Tensor;
}

/** Seed words that evaluation passes where training has a key; nothing is random here. */
const NO_KEY = new Uint32Array(4);

/** Images whose widest activation (qkv, or the MLP's) still fits one binding. */
function largestBatch(config: ViTConfig, maxBindingBytes: number): number {
  const widest = tokenCount(config) * Math.max(3 * config.dim, config.mlp) * ELEMENT_BYTES.f32;
  return Math.max(1, Math.floor(maxBindingBytes / widest));
}

/** Runs a ViT forward, batch by batch; a short one is padded, so a few captures serve all. */
export class Predictor {
  readonly config: ViTConfig;
  private readonly forward: Program<keyof BatchTensors, Outputs>;
  private readonly transform: Transform;
  private readonly batchSize: number;
  private readonly augmentSeed: number | null;
  private batches = 0;

  /**
   * `weights` are read at every run, so training's own parameters may be passed.
   * @param augmentSeed - augments images as in training, by this seed; null for the test transform.
   */
  constructor(
    engine: Engine,
    model: { config: ViTConfig; weights: Weights; transform: Transform },
    batchSize = 100,
    augmentSeed: number | null = null,
  ) {
    const { ops } = engine;
    const { config, weights } = model;
    this.config = config;
    this.batchSize = Math.min(batchSize, largestBatch(config, engine.caps.maxBindingBytes));
    this.augmentSeed = augmentSeed;
    const { augmentation } = model.transform;
    this.transform = {
      ...model.transform,
      augmentation: augmentSeed === null ? null : augmentation,
    };
    this.forward = program(engine, (inputs: BatchTensors): Outputs => {
      const { pixels, labels, validRows, key } = inputs;
      const images = imageTensor(ops, this.transform, { pixels, key, count: labels.shape[0] ?? 0 });
      const { features, logits } = new ViT(ops, config, weights).forward(images);
      const loss = ops.crossEntropy(logits, labels, validRows);
      const correct = ops.correctCount(logits, labels, validRows);
      return { features, logits, loss, correct };
    });
  }

  private run(pixels: Uint8Array, labels: Int32Array): Promise<Outputs> {
    const { height, width, channels } = this.transform;
    // Padded to a power of two: few captures, and one image does not cost a whole batch.
    const rows = Math.min(this.batchSize, 2 ** Math.ceil(Math.log2(Math.max(1, labels.length))));
    const padded = new Uint8Array(rows * height * width * channels);
    padded.set(pixels);
    const paddedLabels = new Int32Array(rows);
    paddedLabels.set(labels);
    return this.forward.run({
      pixels: packPixels(padded),
      labels: paddedLabels,
      validRows: new Uint32Array([labels.length]),
      key: this.nextKey(),
    });
  }

  /** Each batch augments by a stream of its own; the test transform draws nothing. */
  private nextKey(): Uint32Array {
    return this.augmentSeed === null
      ? NO_KEY
      : new Uint32Array([this.augmentSeed, 0, this.batches++, 0]);
  }

  /** Features and logits of up to any number of images, u8 [N, H, W, C]. */
  async predict(pixels: Uint8Array): Promise<Prediction> {
    const { height, width, channels } = this.transform;
    const imageBytes = height * width * channels;
    const count = pixels.length / imageBytes;
    const { dim, classes } = this.config;
    const features = new Float32Array(count * dim);
    const logits = new Float32Array(count * classes);
    for (let start = 0; start < count; start += this.batchSize) {
      const rows = Math.min(this.batchSize, count - start);
      const block = pixels.subarray(start * imageBytes, (start + rows) * imageBytes);
      const out = await this.run(block, new Int32Array(rows));
      const [h, z] = await Promise.all([out.features.floats(), out.logits.floats()]);
      features.set(h.subarray(0, rows * dim), start * dim);
      logits.set(z.subarray(0, rows * classes), start * classes);
    }
    return { features, logits, count };
  }

  /**
   * Predictions of a split in order, block by block.
   * @param onBlock - gets each block with the index of its first row.
   */
  async predictSplit(
    split: Split,
    onBlock: (block: Prediction, start: number) => Promise<void> | void,
  ): Promise<void> {
    for (let start = 0; start < split.count; start += this.batchSize) {
      const rows = Math.min(this.batchSize, split.count - start);
      const indices = Array.from({ length: rows }, (_, row) => start + row);
      await onBlock(await this.predict(await split.images(indices)), start);
    }
  }

  /** Loss and accuracy of a labelled split. */
  async evaluate(split: Split): Promise<Evaluation> {
    let loss = 0;
    let correct = 0;
    for (let start = 0; start < split.count; start += this.batchSize) {
      const rows = Math.min(this.batchSize, split.count - start);
      const indices = Array.from({ length: rows }, (_, row) => start + row);
      const labels = split.labels.subarray(start, start + rows);
      const out = await this.run(await split.images(indices), labels);
      const [mean, hits] = await Promise.all([out.loss.item(), out.correct.item()]);
      loss += mean * rows;
      correct += hits;
    }
    const { count } = split;
    return { loss: loss / count, accuracy: correct / count, count };
  }

  /** Frees the captured program. */
  dispose(): void {
    this.forward.dispose();
  }
}
