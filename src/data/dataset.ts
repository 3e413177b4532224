/** What an image data set is to everything above, and splits over pixels in memory. */
import { sha256 } from "#platform";
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";

/** Images with labels, read by index. */
export interface Split {
  readonly count: number;
  /** Class of each image; −1 where it has none. */
  readonly labels: Int32Array;
  /** Pixels of those images: u8 [B, H, W, C]. */
  images(indices: ArrayLike<number>): Promise<Uint8Array>;
}

/** Images of one size, split once and for all. */
export interface ImageDataset {
  readonly name: string;
  /** The name for people. */
  readonly title: string;
  /** Who made the data, and under which licence; reports and pages show it. */
  readonly credit: string;
  readonly classes: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Per channel, of pixels in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly splits: { readonly train: Split; readonly val: Split; readonly test: Split };
  /** SHA-256 of pixels, labels and split, so that reports name exactly what was used. */
  readonly hash: string;
}

/** Name of a split. */
export type SplitName = keyof ImageDataset["splits"];

/** The three splits, in the order in which they are shown. */
export const SPLIT_NAMES = ["train", "val", "test"] as const satisfies readonly SplitName[];

/** A split of no images. */
export const emptySplit: Split = {
  count: 0,
  labels: new Int32Array(),
  images: (indices) =>
    indices.length === 0
      ? Promise.resolve(new Uint8Array())
      : Promise.reject(new DataError("this split holds no images; choose another one")),
};

/** A split over pixels in memory, [N, H, W, C] row-major, `imageBytes` each. */
export function memorySplit(pixels: Uint8Array, labels: Int32Array, imageBytes: number): Split {
  return {
    count: labels.length,
    labels,
    images: (indices) => {
      const out = new Uint8Array(indices.length * imageBytes);
      for (let row = 0; row < indices.length; row++) {
        const start = at(indices, row) * imageBytes;
        out.set(pixels.subarray(start, start + imageBytes), row * imageBytes);
      }
      return Promise.resolve(out);
    },
  };
}

/** Some images of a split, in the given order; `relabel` maps old classes to new ones. */
export function pickSplit(
  split: Split,
  indices: readonly number[],
  relabel: (label: number) => number = (label) => label,
): Split {
  return {
    count: indices.length,
    labels: Int32Array.from(indices, (index) => relabel(at(split.labels, index))),
    images: (rows) => split.images(Array.from(rows, (row) => at(indices, row))),
  };
}

/** The same data with other splits. */
export function withSplits(
  dataset: ImageDataset,
  change: (split: Split, name: SplitName) => Split,
): ImageDataset["splits"] {
  const { train, val, test } = dataset.splits;
  return { train: change(train, "train"), val: change(val, "val"), test: change(test, "test") };
}

/** SHA-256 over parts and a note of how they were used. */
export async function hashParts(parts: readonly Uint8Array[], note: string): Promise<string> {
  const hashes = await Promise.all(parts.map((part) => sha256(part)));
  return sha256(new TextEncoder().encode([...hashes, note].join("\n")));
}
