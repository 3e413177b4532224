/** Data sets by name or path. */
import { cacheFolder, exists, listFolder } from "#platform";
import { DataError } from "../util/errors.ts";
import { cifarIn, loadCifar } from "./cifar.ts";
import { toGeometry } from "./convert.ts";
import type { ImageDataset } from "./dataset.ts";
import { loadFolder } from "./folder.ts";
import { loadIcons } from "./icons.ts";
import { FASHION_MNIST, hasIdxFiles, loadIdxFolder, MNIST, type IdxNotes } from "./mnist.ts";
import { loadMnist10k } from "./mnist10k.ts";
import { makeNoise } from "./noise.ts";
import { loadPatches } from "./patches.ts";
import type { Geometry } from "./resize.ts";
import { parseClasses, selectClasses, takeFirst, withoutClasses } from "./subset.ts";

/** How a data set is loaded. */
export interface DatasetOptions {
  /** Folder or address of the data, instead of the user's cache. */
  readonly base?: string;
  /** Only these classes, relabelled from 0: names, or index ranges such as `0-7`. */
  readonly classes?: string;
  /** All classes but these. */
  readonly without?: string;
  /** At most so many images of each split. */
  readonly limit?: number;
  /** Size of images from folders and of made-up sets. */
  readonly geometry?: Geometry;
  /** Folders without a split of their own go to the test split whole. */
  readonly allAsTest?: boolean;
}

/** What `neco data list` shows of a name. */
export interface DatasetEntry {
  readonly name: string;
  readonly summary: string;
  /** Whether `neco data fetch` can bring it. */
  readonly canFetch: boolean;
  /** How an OOD set counts against digits: real neighbours, far ones, or a control. */
  readonly kind: "images" | "ood" | "control";
  load(options: DatasetOptions): Promise<ImageDataset>;
  /** Whether it can be loaded without fetching. */
  isPresent(): Promise<boolean>;
}

const MADE_COUNT = 1500; // images of sets that are made: as many as mnist-10k's test split, about
const DEFAULT_GEOMETRY: Geometry = { height: 28, width: 28, channels: 1 };
const DEBIAN_FASHION = "/usr/share/datasets/fashion-mnist"; // Debian's dataset-fashion-mnist

const inCache = (name: string): string => `${cacheFolder()}/data/${name}`;

const ENTRIES: readonly DatasetEntry[] = [
  {
    name: "mnist-10k",
    summary: "10,000 handwritten digits, 28 × 28 grey; packed by the set-up",
    canFetch: false,
    kind: "images",
    load: ({ base }) => loadMnist10k(base),
    isPresent: () => exists(`${inCache("mnist-10k")}/mnist-10k-images-idx3-ubyte.gz`),
  },
  idxEntry(MNIST, "70,000 handwritten digits, 28 × 28 grey", [], false),
  idxEntry(FASHION_MNIST, "70,000 articles of clothing, 28 × 28 grey", [DEBIAN_FASHION], true),
  cifarEntry("cifar10", "60,000 photographs in 10 classes, 32 × 32 RGB"),
  cifarEntry("cifar100", "60,000 photographs in 100 classes, 32 × 32 RGB"),
  {
    name: "patches",
    summary: "patches of photographs, for far-OOD",
    canFetch: true,
    kind: "ood",
    load: ({ base, geometry = DEFAULT_GEOMETRY, limit = MADE_COUNT }) =>
      loadPatches(base ?? inCache("photographs"), geometry, limit),
    isPresent: () => exists(inCache("photographs")),
  },
  {
    name: "icons",
    summary: "line icons, white on black, for far-OOD",
    canFetch: true,
    kind: "ood",
    load: ({ base, geometry = DEFAULT_GEOMETRY, limit = MADE_COUNT }) =>
      loadIcons(`${base ?? inCache("icons")}/lucide.json`, geometry, limit),
    isPresent: () => exists(`${inCache("icons")}/lucide.json`),
  },
  {
    name: "noise",
    summary: "uniform noise, a control for OOD detection that stays out of averages",
    canFetch: false,
    kind: "control",
    load: ({ geometry = DEFAULT_GEOMETRY, limit = MADE_COUNT }) => makeNoise(geometry, limit),
    isPresent: () => Promise.resolve(true),
  },
];

/** All data sets that have a name. */
export const describeDatasets = (): readonly DatasetEntry[] => ENTRIES;

/**
 * Loads a data set by name (`fashion-mnist`; `mnist-10k:0-7` for some of its classes;
 * `mnist-10k#500` for at most so many images of each split) or by path: a folder of IDX files, of
 * CIFAR batches, of images, or a list of image files. The result's `name` loads the same again.
 * @throws DataError if it is not there, with the way to get it.
 */
export async function loadDataset(
  nameOrPath: string,
  options: DatasetOptions = {},
): Promise<ImageDataset> {
  const spec = parseSpec(nameOrPath);
  const entry = ENTRIES.find(({ name }) => name === spec.source);
  const whole = entry
    ? await entry.load(options)
    : { ...(await loadPath(spec.source, options)), name: spec.source };
  const classes = spec.classes ?? options.classes;
  const chosen =
    classes === undefined ? whole : selectClasses(whole, parseClasses(classes, whole.classes));
  const kept =
    options.without === undefined
      ? chosen
      : withoutClasses(chosen, parseClasses(options.without, chosen.classes));
  const limit = spec.limit ?? options.limit;
  return limit === undefined ? kept : takeFirst(kept, limit);
}

/** Splits `SOURCE[:CLASSES][#LIMIT]`; what follows a colon in a path is classes only at its end. */
export function parseSpec(text: string): {
  source: string;
  classes: string | undefined;
  limit: number | undefined;
} {
  const limit = /#(\d+)$/.exec(text);
  const rest = limit ? text.slice(0, limit.index) : text;
  const isNamed = ENTRIES.some(({ name }) => rest.startsWith(`${name}:`));
  const classes = (isNamed ? /^([^:]+):(.+)$/ : /^(.{2,}):([^\\/:]+)$/).exec(rest);
  return {
    source: classes?.[1] ?? rest,
    classes: classes?.[2],
    limit: limit ? Number(limit[1]) : undefined,
  };
}

/**
 * Loads a data set as OOD for another: its test images in the other's geometry and normalisation.
 * @throws DataError if it is not there.
 */
export async function loadOod(
  nameOrPath: string,
  known: ImageDataset,
  options: DatasetOptions = {},
): Promise<ImageDataset> {
  const { height, width, channels } = known;
  const geometry = { height, width, channels };
  return toGeometry(
    await loadDataset(nameOrPath, { ...options, geometry, allAsTest: true }),
    known,
  );
}

async function loadPath(path: string, options: DatasetOptions): Promise<ImageDataset> {
  if (!(await exists(path)))
    throw new DataError(
      `${path}: no such data set or folder; the names are ${ENTRIES.map(({ name }) => name).join(", ")}`,
    );
  const isFolder = await listFolder(path).then(
    () => true,
    () => false,
  );
  if (isFolder && (await cifarIn(path)) !== null) return loadCifar(path);
  if (isFolder && (await hasIdxFiles(path)))
    return loadIdxFolder(path, { ...MNIST, name: "idx", title: path, credit: path, classes: null });
  return loadFolder(path, options);
}

function idxEntry(
  notes: IdxNotes,
  summary: string,
  places: readonly string[],
  canFetch: boolean,
): DatasetEntry {
  const find = async (): Promise<string | null> => {
    for (const folder of [inCache(notes.name), ...places])
      if (await hasIdxFiles(folder)) return folder;
    return null;
  };
  return {
    name: notes.name,
    summary,
    canFetch,
    kind: "images",
    load: async ({ base }) => {
      const folder = base ?? (await find());
      if (folder === null) throw absent(notes.name, canFetch, "its four IDX files");
      return loadIdxFolder(folder, notes);
    },
    isPresent: async () => (await find()) !== null,
  };
}

function cifarEntry(name: "cifar10" | "cifar100", summary: string): DatasetEntry {
  const isPresent = async (): Promise<boolean> =>
    (await exists(inCache(name))) && (await cifarIn(inCache(name))) === name;
  return {
    name,
    summary,
    canFetch: false,
    kind: "images",
    load: async ({ base }) => {
      if (base === undefined && !(await isPresent()))
        throw absent(name, false, "the .bin files of its binary version");
      return loadCifar(base ?? inCache(name));
    },
    isPresent,
  };
}

function absent(name: string, canFetch: boolean, files: string): DataError {
  const advice = canFetch
    ? `run "neco data fetch ${name}", or put ${files} in ${inCache(name)}`
    : `put ${files} in ${inCache(name)}, or give their folder's path`;
  return new DataError(`${name} is not on this machine: ${advice}`);
}
