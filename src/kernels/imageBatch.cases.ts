/** Oracle of imageBatch, on the host twin of the random bits. Never imported by the library. */
import { randomBelow, randomBits } from "../util/philox.ts";
import type { RandomKey } from "../util/philox.ts";
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, InputSpec, OpCases, Sample } from "./case.ts";
import { imageBatch } from "./imageBatch.ts";
import type { ImageBatchAttrs, RandomCrop } from "./imageBatch.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** The attributes of a sample; the table test has put the defaults in. */
const attrsOf = (attrs: Attributes): ImageBatchAttrs => ({ ...imageBatch.defaults, ...attrs });

interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const unit = (bits: number): number => (bits >>> 8) / 2 ** 24;

/** Rounds halves to even, as shaders and Python do. */
function roundEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function cropBox(attrs: ImageBatchAttrs, crop: RandomCrop, key: RandomKey, image: number): Box {
  const { height: rows, width: columns, stream } = attrs;
  for (let attempt = 0; attempt < 10; attempt++) {
    const [b0, b1, b2, b3] = randomBits(key, stream, image * 16 + attempt);
    const area = rows * columns * (crop.areaMin + (crop.areaMax - crop.areaMin) * unit(b0));
    const [low, high] = [Math.log(crop.ratioMin), Math.log(crop.ratioMax)];
    const ratio = Math.exp(low + (high - low) * unit(b1));
    const width = roundEven(Math.sqrt(area * ratio));
    const height = roundEven(Math.sqrt(area / ratio));
    if (width > 0 && width <= columns && height > 0 && height <= rows)
      return {
        top: randomBelow(b2, rows - height + 1),
        left: randomBelow(b3, columns - width + 1),
        height,
        width,
      };
  }
  const ratio = columns / rows;
  const nearest = Math.min(Math.max(ratio, crop.ratioMin), crop.ratioMax);
  const height = ratio < nearest ? roundEven(columns / nearest) : rows;
  const width = ratio > nearest ? roundEven(rows * nearest) : columns;
  const top = Math.floor((rows - height) / 2);
  return { top, left: Math.floor((columns - width) / 2), height, width };
}

function boxOf(attrs: ImageBatchAttrs, key: RandomKey, image: number): Box & { flip: boolean } {
  const { height, width, pad, stream, train, crop } = attrs;
  const [b0, b1, b2] = randomBits(key, stream, image * 16 + 15);
  const flip = train && attrs.flip && b2 >= 2 ** 31;
  if (train && crop) return { ...cropBox(attrs, crop, key, image), flip };
  if (!train || pad === 0) return { top: 0, left: 0, height, width, flip };
  const places = 2 * pad + 1;
  const top = randomBelow(b0, places) - pad;
  return { top, left: randomBelow(b1, places) - pad, height, width, flip };
}

/** Where output pixel `index` of `count` samples a side of `length` pixels: two pixels and a part. */
function tap(index: number, count: number, length: number): [number, number, number] {
  const centre = ((index + 0.5) * length) / count - 0.5;
  const place = Math.min(Math.max(centre, 0), length - 1);
  const low = Math.floor(place);
  return [low, Math.min(low + 1, length - 1), place - low];
}

/** The bytes of the images; 0 outside. */
function pixelOf(pixels: Array64, attrs: ImageBatchAttrs) {
  const { height, width, channels } = attrs;
  return (image: number, row: number, column: number, channel: number): number => {
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    const index = ((image * height + row) * width + column) * channels + channel;
    return (at(pixels.data, Math.floor(index / 4)) >>> (8 * (index % 4))) & 255;
  };
}

function images64(pixels: Array64, words: Array64, attrs: ImageBatchAttrs): Array64 {
  const { batch, height, width, channels, size, mean, std } = attrs;
  const [rows, columns] = size > 0 ? [size, size] : [height, width];
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = words.data;
  const pixel = pixelOf(pixels, attrs);
  const values: number[] = [];
  for (let image = 0; image < batch; image++) {
    const box = boxOf(attrs, [k0, k1, k2, k3], image);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const [top, bottom, down] = tap(row, rows, box.height);
        const source = box.flip ? columns - 1 - column : column;
        const [left, right, along] = tap(source, columns, box.width);
        for (let channel = 0; channel < channels; channel++) {
          const value = (y: number, x: number): number =>
            pixel(image, box.top + y, box.left + x, channel);
          const upper = value(top, left) * (1 - along) + value(top, right) * along;
          const lower = value(bottom, left) * (1 - along) + value(bottom, right) * along;
          const mixed = (upper * (1 - down) + lower * down) / 255;
          values.push((mixed - at(mean, channel)) / at(std, channel));
        }
      }
  }
  return array64([batch, rows, columns, channels], values);
}

const KEY: InputSpec = { shape: [4], dtype: "u32", values: [17, 0, 5, 0] };

const sample = (attrs: Attributes, key: InputSpec = KEY): Sample => {
  const { batch, height, width, channels } = attrsOf(attrs);
  const words = Math.ceil((batch * height * width * channels) / 4);
  return { inputs: [{ shape: [words], dtype: "u32", range: [0, 2 ** 32] }, key], attrs };
};

const GREY = { channels: 1, mean: [0.1307], std: [0.3081] };
const COLOUR = { channels: 3, mean: [0.49, 0.48, 0.45], std: [0.2, 0.25, 0.26] };
const CROP: RandomCrop = { areaMin: 0.05, areaMax: 1, ratioMin: 3 / 4, ratioMax: 4 / 3 };
const NARROW: RandomCrop = { areaMin: 1, areaMax: 1, ratioMin: 0.5, ratioMax: 0.5 };

/** Oracle of imageBatch. */
export const imageBatchCases: OpCases = {
  reference: ([pixels, key], attrs) =>
    pixels && key ? [images64(pixels, key, attrsOf(attrs))] : [],
  // Σ|terms|: the largest pixel and the mean, over the deviation
  scale([pixels, key], attrs) {
    if (!pixels || !key) return [];
    const { mean, std } = attrsOf(attrs);
    const y = images64(pixels, key, attrsOf(attrs));
    const values = y.data.map((_value, index) => {
      const channel = index % std.length;
      return (1 + at(mean, channel)) / at(std, channel);
    });
    return [array64(y.shape, values)];
  },
  samples: [
    sample({ batch: 3, height: 5, width: 7, ...GREY }),
    sample({ batch: 1, height: 1, width: 1 }),
    sample({ batch: 2, height: 9, width: 9, ...COLOUR, pad: 4, flip: true }),
    sample({ batch: 70, height: 6, width: 5, ...GREY, train: true, pad: 2 }),
    sample({
      batch: 5,
      height: 8,
      width: 8,
      ...COLOUR,
      train: true,
      pad: 4,
      flip: true,
      stream: 9,
    }),
    sample({ batch: 2, height: 6, width: 10, ...COLOUR, size: 7 }),
    sample({ batch: 2, height: 4, width: 4, ...GREY, size: 9, train: true, pad: 1 }),
    sample({
      batch: 6,
      height: 12,
      width: 9,
      ...COLOUR,
      size: 8,
      train: true,
      flip: true,
      crop: CROP,
    }),
    sample({ batch: 2, height: 6, width: 6, ...GREY, size: 5, train: true, crop: NARROW }),
  ],
  errors: [
    {
      ...sample({ batch: 2, height: 4, width: 4, ...GREY }),
      attrs: { batch: 3, height: 4, width: 4, ...GREY },
      throws:
        /imageBatch: pixels must be 12 u32, four bytes each of \[3, 4, 4, 1\]; got pixels \[8\]/,
    },
    {
      ...sample({ batch: 1, height: 4, width: 4, channels: 3, mean: [0.5], std: [0.5] }),
      throws: /imageBatch: mean and std need 3 values each, not 1 and 1/,
    },
    { ...sample({ std: [0] }), throws: /imageBatch: std must be positive, not 0/ },
    { ...sample({ crop: { ...CROP, areaMin: 0 } }), throws: /imageBatch: crop needs 0 < areaMin/ },
    {
      ...sample({}, { shape: [4] }),
      throws: /imageBatch: key must be 4 u32: seed and step, low words first; got key \[4\]/,
    },
  ],
  tolerance: {
    rel: 5e-6,
    abs: 1e-30,
    why: "a resized pixel's place is good to 1e-6 pixels, its bytes differ by up to 255",
  },
  bench: [
    sample({ batch: 64, height: 28, width: 28, ...GREY, train: true, pad: 2 }),
    sample({ batch: 32, height: 64, width: 64, ...COLOUR, size: 64, train: true, crop: CROP }),
  ],
};
