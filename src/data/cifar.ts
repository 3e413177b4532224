/**
 * CIFAR-10 and CIFAR-100 in their binary layout: per image one label byte (two for CIFAR-100:
 * coarse, fine), then 3,072 bytes of pixels as planes R, G, B. Parts of the sets are taken too.
 */
import { exists, listFolder, readBytes } from "#platform";
import { DataError, FormatError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { hashParts, memorySplit, pickSplit, type ImageDataset } from "./dataset.ts";
import { holdOut } from "./partition.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;
const HELD_OUT_PERCENT = 5;

/** What tells the two sets apart. */
interface CifarKind {
  readonly name: "cifar10" | "cifar100";
  readonly title: string;
  readonly classes: number;
  readonly labelBytes: number;
  readonly namesFile: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const CIFAR10: CifarKind = {
  name: "cifar10",
  title: "CIFAR-10",
  classes: 10,
  labelBytes: 1,
  namesFile: "batches.meta.txt",
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
};

const CIFAR100: CifarKind = {
  name: "cifar100",
  title: "CIFAR-100",
  classes: 100,
  labelBytes: 2,
  namesFile: "fine_label_names.txt",
  mean: [0.5071, 0.4865, 0.4409],
  std: [0.2673, 0.2564, 0.2762],
};

const CREDIT =
  "CIFAR by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton, from the 80 Million Tiny Images; for research";

/** Which of the two sets a folder holds, or null. */
export async function cifarIn(folder: string): Promise<CifarKind["name"] | null> {
  const names = await listFolder(folder);
  if (names.some((name) => /^data_batch_\d+\.bin$/.test(name))) return "cifar10";
  return names.includes("train.bin") && names.includes("test.bin") ? "cifar100" : null;
}

/**
 * Loads what a folder holds of CIFAR-10 or CIFAR-100; validation is the last 5 % of each class of
 * the training images, never of the test images.
 * @throws DataError if there are no training or no test images.
 * @throws FormatError if a file is no whole number of records, or a label is out of range.
 */
export async function loadCifar(folder: string): Promise<ImageDataset> {
  const kind = (await cifarIn(folder)) === "cifar100" ? CIFAR100 : CIFAR10;
  const names = await listFolder(folder);
  const isTrain = (name: string): boolean => /^(data_batch_\d+|train)\.bin$/.test(name);
  const isTest = (name: string): boolean => /^(test_batch|test)\.bin$/.test(name);
  const trainFiles = names.filter(isTrain);
  const testFiles = names.filter(isTest);
  if (trainFiles.length === 0 || testFiles.length === 0)
    throw new DataError(
      `${folder}: holds no ${trainFiles.length === 0 ? "data_batch_1.bin" : "test_batch.bin"}; unpack the binary version of CIFAR there`,
    );
  const [train, test] = await Promise.all([
    readRecords(folder, trainFiles, kind),
    readRecords(folder, testFiles, kind),
  ]);
  const all = memorySplit(train.pixels, train.labels, 3 * PLANE);
  const parts = holdOut(train.labels, kind.classes, HELD_OUT_PERCENT);
  return {
    name: kind.name,
    title: kind.title,
    credit: CREDIT,
    classes: await classNames(folder, kind),
    height: SIDE,
    width: SIDE,
    channels: 3,
    mean: kind.mean,
    std: kind.std,
    splits: {
      train: pickSplit(all, parts.train),
      val: pickSplit(all, parts.val),
      test: memorySplit(test.pixels, test.labels, 3 * PLANE),
    },
    hash: await hashParts(
      [train, test].flatMap(({ pixels, labels }) => [pixels, Uint8Array.from(labels)]),
      `last ${HELD_OUT_PERCENT} % of each training class held out`,
    ),
  };
}

interface Records {
  readonly pixels: Uint8Array; // [N, 32, 32, 3]
  readonly labels: Int32Array; // [N]
}

async function readRecords(
  folder: string,
  files: readonly string[],
  kind: CifarKind,
): Promise<Records> {
  const parts = await Promise.all(
    files.map(async (file) => parseCifar(await readBytes(`${folder}/${file}`), file, kind)),
  );
  const pixels = new Uint8Array(parts.reduce((total, part) => total + part.pixels.length, 0));
  let filled = 0;
  for (const part of parts) {
    pixels.set(part.pixels, filled);
    filled += part.pixels.length;
  }
  return { pixels, labels: Int32Array.from(parts.flatMap((part) => [...part.labels])) };
}

/**
 * Parses records; planes become [H, W, C].
 * @throws FormatError if they are cut short or a label is out of range.
 */
export function parseCifar(
  bytes: Uint8Array,
  file: string,
  { classes, labelBytes }: { classes: number; labelBytes: number },
): Records {
  const recordBytes = labelBytes + 3 * PLANE;
  const count = bytes.length / recordBytes;
  if (!Number.isInteger(count) || count === 0)
    throw new FormatError(
      file,
      `${bytes.length} bytes are no whole number of records of ${recordBytes}; copy it again`,
    );
  const labels = Int32Array.from({ length: count }, (_, row) =>
    at(bytes, row * recordBytes + labelBytes - 1),
  );
  const bad = labels.findIndex((label) => label >= classes);
  if (bad >= 0)
    throw new FormatError(
      file,
      `image ${bad} has label ${at(labels, bad)}, outside 0…${classes - 1}`,
    );
  const pixels = new Uint8Array(count * 3 * PLANE);
  for (let row = 0; row < count; row++) {
    const start = row * recordBytes + labelBytes;
    for (let pixel = 0; pixel < PLANE; pixel++)
      for (let channel = 0; channel < 3; channel++)
        pixels[(row * PLANE + pixel) * 3 + channel] = bytes[start + channel * PLANE + pixel] ?? 0;
  }
  return { pixels, labels };
}

async function classNames(folder: string, kind: CifarKind): Promise<string[]> {
  const path = `${folder}/${kind.namesFile}`;
  const text = (await exists(path)) ? new TextDecoder().decode(await readBytes(path)) : "";
  const names = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  return Array.from({ length: kind.classes }, (_, index) => names[index] ?? String(index));
}
