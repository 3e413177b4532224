/** Turns image bytes into the model's input, on the GPU: normalised, and augmented in training. */
import type { Ops, Tensor } from "../engine/index.ts";
import type { Augmentation } from "./recipe.ts";

/** Size and statistics of the images; `augmentation` is null in evaluation. */
export interface Transform {
  /** Of the data set's images, pixels. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Side of the model's input. */
  readonly imageSize: number;
  /** Per channel, of pixels in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly augmentation: Augmentation | null;
}

/** Number of the random stream of augmentation; the model's own streams count from 0. */
const AUGMENTATION_STREAM = 1_000_000;

/** pixels (u8 [B, H, W, C], four to a word) → f32 [B, S, S, C], (p / 255 − mean) / std. */
export function imageTensor(
  ops: Ops,
  transform: Transform,
  { pixels, key, count }: { pixels: Tensor; key: Tensor; count: number },
): Tensor {
  const { height, width, channels, imageSize, mean, std, augmentation } = transform;
  return ops.imageBatch(pixels, key, {
    batch: count,
    height,
    width,
    channels,
    size: imageSize,
    mean,
    std,
    train: augmentation !== null,
    pad: augmentation?.pad ?? 0,
    flip: augmentation?.flip ?? false,
    crop: augmentation?.crop ?? null,
    stream: AUGMENTATION_STREAM,
  });
}

/** Image bytes as words, the last one padded with zeros. */
export function packPixels(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
