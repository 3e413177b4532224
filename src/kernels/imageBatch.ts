/** The input transform of training and evaluation, on the GPU: bytes to normalised floats. */
import { imageBatch as imageBatchShader } from "../../shaders/imageBatch.wgsl.ts";
import { imageBoxes } from "../../shaders/imageBoxes.wgsl.ts";
import type { BoxMode } from "../../shaders/imageBoxes.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { ceilDiv, meta, sizeOf } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas, Pass } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, f, i, reads, u, uniforms, writes } from "./pass.ts";

/** Random boxes as torchvision's RandomResizedCrop draws them. */
export interface RandomCrop {
  /** Shares of the image's area. */
  readonly areaMin: number;
  readonly areaMax: number;
  /** Width over height. */
  readonly ratioMin: number;
  readonly ratioMax: number;
}

/** What {@link imageBatch} is told. */
export interface ImageBatchAttrs {
  readonly batch: number;
  /** Of the images, pixels. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Side of the square output; 0 keeps height × width. */
  readonly size: number;
  /** By channel, of pixels in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Whether `pad`, `flip` and `crop` apply. */
  readonly train: boolean;
  /** Random shift by up to so many pixels each way; what comes in is 0, as of a padded image. */
  readonly pad: number;
  /** Mirror every other image, at random. */
  readonly flip: boolean;
  /** Random boxes instead of shifts. */
  readonly crop: RandomCrop | null;
  readonly stream: number;
  readonly [name: string]: unknown;
}

const MAX_CHANNELS = 4; // scale and shift are one vec4f each
const BOX_WORDS = 5;

const DEFAULTS: ImageBatchAttrs = {
  batch: 1,
  height: 1,
  width: 1,
  channels: 1,
  size: 0,
  mean: [0],
  std: [1],
  train: false,
  pad: 0,
  flip: false,
  crop: null,
  stream: 0,
};

/** Rows and columns of the output. */
const outputSides = ({ size, height, width }: ImageBatchAttrs): [number, number] =>
  size > 0 ? [size, size] : [height, width];

const fail = (rule: string, shapes = {}): never => {
  throw new ShapeError("imageBatch", rule, shapes);
};

function checkCrop({ areaMin, areaMax, ratioMin, ratioMax }: RandomCrop): void {
  const isArea = areaMin > 0 && areaMin <= areaMax && areaMax <= 1;
  if (!isArea || !(ratioMin > 0 && ratioMin <= ratioMax))
    fail("crop needs 0 < areaMin ≤ areaMax ≤ 1 and 0 < ratioMin ≤ ratioMax");
}

function checkAttrs({ channels, mean, std, crop, pad }: ImageBatchAttrs): void {
  if (channels < 1 || channels > MAX_CHANNELS)
    fail(`images have 1 to ${MAX_CHANNELS} channels, not ${channels}`);
  if (mean.length !== channels || std.length !== channels)
    fail(`mean and std need ${channels} values each, not ${mean.length} and ${std.length}`);
  if (std.some((value) => !(value > 0))) fail(`std must be positive, not ${std.join(", ")}`);
  if (!(pad >= 0)) fail(`pad must be 0 or more pixels, not ${pad}`);
  if (crop) checkCrop(crop);
}

function checkInputs(inputs: InputMetas, attrs: ImageBatchAttrs): void {
  const { batch, height, width, channels } = attrs;
  const pixels = need(inputs, 0);
  const key = need(inputs, 1);
  const words = ceilDiv(batch * height * width * channels, 4);
  if (pixels.dtype !== "u32" || sizeOf(pixels.shape) !== words)
    fail(
      `pixels must be ${words} u32, four bytes each of [${batch}, ${height}, ${width}, ${channels}]`,
      { pixels: pixels.shape },
    );
  if (key.dtype !== "u32" || sizeOf(key.shape) !== 4)
    fail("key must be 4 u32: seed and step, low words first", { key: key.shape });
}

function modeOf({ train, crop, pad }: ImageBatchAttrs): BoxMode {
  if (!train) return "whole";
  return crop ? "resized" : pad > 0 ? "shifted" : "whole";
}

function boxesPass(attrs: ImageBatchAttrs, grid: Pass["grid"]): Pass {
  const { batch, height, width, pad, stream, train, flip } = attrs;
  const crop = attrs.crop ?? { areaMin: 1, areaMax: 1, ratioMin: 1, ratioMax: 1 };
  return {
    label: `imageBatch boxes [${batch}]`,
    code: imageBoxes({
      workgroup: ELEMENT_WORKGROUP,
      mode: modeOf(attrs),
      isFlipped: train && flip,
    }),
    bindings: [...uniforms("in1"), ...writes("temp0")],
    params: [
      ...[u(batch), i(height), i(width), i(pad), u(stream)],
      ...[crop.areaMin, crop.areaMax, Math.log(crop.ratioMin), Math.log(crop.ratioMax)].map(f),
    ],
    grid,
  };
}

/** Four values, those beyond the channels 0. */
const fourOf = (values: readonly number[]) =>
  Array.from({ length: MAX_CHANNELS }, (_, channel) => f(values[channel] ?? 0));

/**
 * pixels (u8 of [batch, height, width, channels], four to a u32) → f32 [batch, S, S, channels],
 * (p / 255 − mean) / std. In training each image is shifted or cut, and mirrored, by its own random
 * words of `stream` under key u32 [4] (seed and step, low words first). Where sizes differ it is
 * resized bilinearly, sampled at pixel centres (corners not aligned) and without antialias.
 */
export const imageBatch = defineOp({
  name: "imageBatch",
  inputs: ["pixels", "key"],
  outputs: ["y"],
  defaults: DEFAULTS,
  infer(inputs, attrs) {
    checkAttrs(attrs);
    checkInputs(inputs, attrs);
    const [height, width] = outputSides(attrs);
    return [meta([attrs.batch, height, width, attrs.channels])];
  },
  variants: {
    element: {
      usable: () => true,
      plan(_inputs, attrs, caps) {
        const { batch, height, width, channels, mean, std } = attrs;
        const [outHeight, outWidth] = outputSides(attrs);
        const count = batch * outHeight * outWidth * channels;
        const isResized = modeOf(attrs) === "resized" || outHeight !== height || outWidth !== width;
        const pass: Pass = {
          label: `imageBatch y [${batch}, ${outHeight}, ${outWidth}, ${channels}]`,
          code: imageBatchShader({ workgroup: ELEMENT_WORKGROUP, isResized }),
          bindings: [...reads("in0", "temp0"), ...writes("out0")],
          params: [
            ...fourOf(std.map((value) => 1 / (255 * value))),
            ...fourOf(std.map((value, channel) => -(mean[channel] ?? 0) / value)),
            ...[u(count), i(height), i(width), u(channels), u(outHeight), u(outWidth)],
          ],
          grid: elementGrid(count, caps),
          flops: 2 * count,
          bytes: 5 * count,
        };
        return {
          temps: [meta([batch, BOX_WORDS], "i32")],
          passes: [boxesPass(attrs, elementGrid(batch, caps)), pass],
        };
      },
    },
  },
  grad: null, // bytes have no gradient; a model's input gradient starts after this op
});
