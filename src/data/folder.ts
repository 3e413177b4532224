/**
 * Folders of images: one sub-folder a class, with or without train/val/test above them; a flat
 * folder without labels; or a list of files, `path label` a line. Images are cropped in the middle
 * and resized.
 */
import { decodeImage, listFolder, openRange, readBytes } from "#platform";
import { DataError, FormatError, NecoError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { convertImage } from "./convert.ts";
import {
  emptySplit,
  hashParts,
  pickSplit,
  type ImageDataset,
  type Split,
  type SplitName,
} from "./dataset.ts";
import { partition } from "./partition.ts";
import { flatten, imageBytes, type Geometry } from "./resize.ts";

/** How a folder is read. */
export interface FolderOptions {
  /** Geometry of the images; 32 × 32 RGB unless told. */
  readonly geometry?: Geometry;
  /** Everything goes to the test split, as OOD sets want it. */
  readonly allAsTest?: boolean;
}

const IMAGE_NAME = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif|svg)$/i;
const DEFAULT_GEOMETRY: Geometry = { height: 32, width: 32, channels: 3 };
const CACHE_BYTES = 1 << 30; // decoded images kept at most
const PERCENT = { train: 80, val: 5 }; // the rest is test
const BATCH = 32; // files open at a time
const WHITE = 255;

interface Item {
  readonly path: string;
  readonly label: string | null;
}

type Items = Readonly<Record<SplitName, readonly Item[]>>;

/**
 * Loads a folder or a list of images.
 * @throws DataError if there are no images.
 * @throws FormatError if a list names no files.
 */
export async function loadFolder(path: string, options: FolderOptions = {}): Promise<ImageDataset> {
  const geometry = options.geometry ?? DEFAULT_GEOMETRY;
  const isList = /\.(txt|lst|list)$/i.test(path);
  const given = isList ? null : await readSplitFolders(path);
  const all = given
    ? [...given.train, ...given.val, ...given.test]
    : await (isList ? readList(path) : readClasses(path));
  if (all.length === 0)
    throw new DataError(
      `${path}: no images; put them in one sub-folder per class, or give a folder of images`,
    );
  const classes = [...new Set(all.flatMap(({ label }) => (label === null ? [] : [label])))].sort(
    byNumberThenText,
  );
  const split = (list: readonly Item[]): Split =>
    list.length === 0 ? emptySplit : fileSplit(list, classes, geometry);
  const whole = split(all);
  const isWhole = options.allAsTest === true || classes.length === 0;
  return {
    name: path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, ""),
    title: `Images of ${path}`,
    credit: `Images of ${path}, provided by the user`,
    classes,
    ...geometry,
    mean: Array.from({ length: geometry.channels }, () => 0.5),
    std: Array.from({ length: geometry.channels }, () => 0.5),
    splits: isWhole
      ? { train: emptySplit, val: emptySplit, test: whole }
      : given === null
        ? dealOut(whole, classes.length)
        : { train: split(given.train), val: split(given.val), test: split(given.test) },
    hash: await hashFiles(all),
  };
}

function dealOut(whole: Split, classes: number): ImageDataset["splits"] {
  const parts = partition(whole.labels, classes, PERCENT);
  return {
    train: pickSplit(whole, parts.train),
    val: pickSplit(whole, parts.val),
    test: pickSplit(whole, parts.test),
  };
}

/** Images decoded when asked for, and kept while there is room. */
function fileSplit(items: readonly Item[], classes: readonly string[], to: Geometry): Split {
  const size = imageBytes(to);
  const kept = new Map<number, Uint8Array>();
  const load = async (index: number): Promise<Uint8Array> => {
    const known = kept.get(index);
    if (known) return known;
    const pixels = await readImage(at(items, index).path, to);
    if ((kept.size + 1) * size <= CACHE_BYTES) kept.set(index, pixels);
    return pixels;
  };
  return {
    count: items.length,
    labels: Int32Array.from(items, ({ label }) => (label === null ? -1 : classes.indexOf(label))),
    images: async (indices) => {
      const out = new Uint8Array(indices.length * size);
      for (let start = 0; start < indices.length; start += BATCH) {
        const rows = Array.from(indices).slice(start, start + BATCH);
        const images = await Promise.all(rows.map(load));
        images.forEach((image, row) => {
          out.set(image, (start + row) * size);
        });
      }
      return out;
    },
  };
}

/**
 * One image file in the given geometry.
 * @throws DataError naming the file if it cannot be decoded.
 */
export async function readImage(path: string, to: Geometry): Promise<Uint8Array> {
  try {
    const { width, height, rgba } = await decodeImage(await readBytes(path));
    return convertImage(flatten(rgba, WHITE), { height, width, channels: 3 }, to);
  } catch (cause) {
    if (!(cause instanceof NecoError) || cause.message.includes(path)) throw cause;
    throw new DataError(`${path}: ${cause.message}; replace or remove the file`, { cause });
  }
}

async function readSplitFolders(path: string): Promise<Items | null> {
  const names = await listFolder(path);
  if (!names.includes("train")) return null;
  const read = async (spellings: readonly string[]): Promise<Item[]> => {
    const name = spellings.find((spelling) => names.includes(spelling));
    return name === undefined ? [] : readClasses(`${path}/${name}`);
  };
  return {
    train: await read(["train"]),
    val: await read(["val", "valid", "validation"]),
    test: await read(["test"]),
  };
}

/** One sub-folder a class; or, if images lie in the folder itself, those without labels. */
async function readClasses(path: string): Promise<Item[]> {
  const names = await listFolder(path);
  const images = names.filter((name) => IMAGE_NAME.test(name));
  if (images.length > 0) return images.map((name) => ({ path: `${path}/${name}`, label: null }));
  const folders = names.filter((name) => !name.startsWith("."));
  const lists = await Promise.all(
    folders.map(async (label) => {
      const inside = await listFolder(`${path}/${label}`).catch(() => []); // a plain file
      const files = inside.filter((name) => IMAGE_NAME.test(name));
      return files.map((name) => ({ path: `${path}/${label}/${name}`, label }));
    }),
  );
  return lists.flat();
}

/** `path label` a line; paths count from the list's folder; the label may be absent everywhere. */
async function readList(path: string): Promise<Item[]> {
  const folder = path.replace(/[^\\/]*$/, "");
  const text = new TextDecoder().decode(await readBytes(path));
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const match = /^(.*\.\w+)(?:\s+(\S+))?$/.exec(line.trim());
    if (match === null)
      throw new FormatError(path, `line ${index + 1} is no "path label": ${line.slice(0, 60)}`);
    const [, file = "", label] = match;
    const isAbsolute = /^([\\/]|[A-Za-z]:|https?:)/.test(file);
    return [{ path: isAbsolute ? file : `${folder}${file}`, label: label ?? null }];
  });
}

/** Names, sizes and labels: reading every byte of a large folder twice is not worth it. */
async function hashFiles(items: readonly Item[]): Promise<string> {
  const lines: string[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    const part = items.slice(start, start + BATCH).map(async ({ path, label }) => {
      const range = await openRange(path);
      await range.close();
      return `${path.replace(/^.*[\\/]/, "")} ${range.size} ${label ?? ""}`;
    });
    lines.push(...(await Promise.all(part)));
  }
  return hashParts([], lines.join("\n"));
}

/** Class folders 2 and 10 in this order; other names by code unit, the same on every machine. */
function byNumberThenText(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (!Number.isNaN(difference)) return difference;
  return a < b ? -1 : 1;
}
