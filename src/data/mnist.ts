/**
 * `mnist` and `fashion-mnist` from their four official IDX files, gzipped or not. Validation is the
 * last 5 % of each training class; the official test files are never touched by it.
 */
import { exists } from "#platform";
import { DataError } from "../util/errors.ts";
import { hashParts, memorySplit, pickSplit, type ImageDataset } from "./dataset.ts";
import { readIdxPair, type IdxArray } from "./idx.ts";
import { MNIST_CREDIT, MNIST_PIXELS } from "./mnist10k.ts";
import { holdOut } from "./partition.ts";

const HELD_OUT_PERCENT = 5;

/** What the files do not say about themselves. */
export interface IdxNotes {
  readonly name: string;
  readonly title: string;
  readonly credit: string;
  /** Null: classes are numbered. */
  readonly classes: readonly string[] | null;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** MNIST proper: 60,000 + 10,000 digits. */
export const MNIST: IdxNotes = {
  name: "mnist",
  title: "MNIST",
  credit: MNIST_CREDIT,
  classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  ...MNIST_PIXELS,
};

/** Fashion-MNIST: 60,000 + 10,000 articles of clothing. */
export const FASHION_MNIST: IdxNotes = {
  name: "fashion-mnist",
  title: "Fashion-MNIST",
  credit: "Fashion-MNIST by Zalando Research (Xiao, Rasul, Vollgraf 2017), MIT licence",
  classes: [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
  ],
  mean: [0.286],
  std: [0.353],
};

/**
 * Loads the four IDX files of a folder or address.
 * @throws DataError if one is missing or they do not belong together.
 */
export async function loadIdxFolder(folder: string, notes: IdxNotes): Promise<ImageDataset> {
  const [train, test] = await Promise.all([readPart(folder, "train"), readPart(folder, "t10k")]);
  const [, height = 0, width = 0] = train.images.shape;
  if (test.images.shape[1] !== height || test.images.shape[2] !== width)
    throw new DataError(`${folder}: training and test images differ in size; fetch them again`);
  const count = Math.max(0, ...train.labels, ...test.labels) + 1;
  const classes = notes.classes ?? Array.from({ length: count }, (_, index) => String(index));
  if (count > classes.length)
    throw new DataError(`${folder}: label ${count - 1} is outside 0…${classes.length - 1}`);
  const all = memorySplit(train.images.values, train.labels, height * width);
  const parts = holdOut(train.labels, classes.length, HELD_OUT_PERCENT);
  return {
    ...notes,
    classes,
    height,
    width,
    channels: 1,
    splits: {
      train: pickSplit(all, parts.train),
      val: pickSplit(all, parts.val),
      test: memorySplit(test.images.values, test.labels, height * width),
    },
    hash: await hashParts(
      [train, test].flatMap(({ images, labels }) => [images.values, Uint8Array.from(labels)]),
      `last ${HELD_OUT_PERCENT} % of each training class held out`,
    ),
  };
}

/** Whether a folder holds the training images under one of their usual names. */
export const hasIdxFiles = async (folder: string): Promise<boolean> =>
  (await findFile(folder, "train", "images-idx3")) !== null;

async function readPart(
  folder: string,
  part: "train" | "t10k",
): Promise<{ images: IdxArray; labels: Int32Array }> {
  const [images, labels] = await Promise.all([
    findFile(folder, part, "images-idx3"),
    findFile(folder, part, "labels-idx1"),
  ]);
  if (images === null || labels === null)
    throw new DataError(
      `${folder}: ${part}-${images === null ? "images-idx3" : "labels-idx1"}-ubyte.gz is missing; put the four IDX files there`,
    );
  return readIdxPair(images, labels);
}

async function findFile(folder: string, part: string, kind: string): Promise<string | null> {
  const names = [`${part}-${kind}-ubyte`, `${part}-${kind.replace("-idx", ".idx")}-ubyte`];
  for (const name of names.flatMap((plain) => [`${plain}.gz`, plain]))
    if (await exists(`${folder}/${name}`)) return `${folder}/${name}`;
  return null;
}
