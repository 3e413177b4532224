/**
 * Features: where models and scores meet. A source gives rows by range; it never needs to hold them
 * all. Files are described in docs: `features` [N, D], optional `labels` [N], `logits` [N, C].
 */
import { openRange } from "#platform";
import { DataError, FormatError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { openCsv } from "./csv.ts";
import { openArrays } from "./open.ts";
import { loadInts, loadRows, type ArrayStore, type StoredArray } from "./store.ts";

/** Samples as feature vectors; rows are samples. */
export interface FeatureSource {
  readonly name: string;
  /** The file that it is read from, for messages. */
  readonly file?: string;
  readonly rows: number;
  readonly dim: number;
  readonly labels: Int32Array | null; // [N]
  /** Columns of the logits, if there are logits. */
  readonly classes: number | null;
  /** [count, D]; may be memory of the source itself, so it is not to be written to. */
  features(start: number, count: number): Promise<Float32Array>;
  /** [count, C], as the features. */
  readonly logits: ((start: number, count: number) => Promise<Float32Array>) | null;
  /** The images that the samples are, where they are at hand: u8 [count, H, W, channels]. */
  readonly images?: (start: number, count: number) => Promise<Uint8Array>;
  /** Logits of further models for the same rows, of the same classes: each gives [count, C]. */
  readonly peerLogits?: readonly ((start: number, count: number) => Promise<Float32Array>)[];
  /** Says what the samples and their features depend on; equal keys mean equal rows. */
  readonly key?: string;
}

/** The last layer of a classifier: logits = h·Wᵀ + b. */
export interface Head {
  readonly weight: Float32Array; // [C, D]
  readonly bias: Float32Array | null; // [C]
  readonly classes: number;
  readonly dim: number;
}

/** A feature source over a file that is open until closed. */
export interface FeatureFile extends FeatureSource {
  readonly metadata: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** What {@link memoryFeatures} wraps. */
export interface FeatureArrays {
  readonly features: Float32Array; // [N, D]
  readonly dim: number;
  readonly labels?: Int32Array | null; // [N]
  readonly logits?: Float32Array | null; // [N, C]
  /** The images that the samples are: u8 [count, H, W, channels]. */
  readonly images?: FeatureSource["images"];
}

/**
 * A source over arrays in memory.
 * @throws DataError if their lengths do not fit together.
 */
export function memoryFeatures(
  name: string,
  { features, dim, labels = null, logits = null, images }: FeatureArrays,
): FeatureSource {
  const rows = features.length / dim;
  if (!Number.isInteger(rows))
    throw new DataError(`${name}: ${features.length} values are no rows of ${dim}`);
  if (labels !== null && labels.length !== rows)
    throw new DataError(`${name}: ${rows} rows of features but ${labels.length} labels`);
  if (logits !== null && (rows === 0 || logits.length % rows !== 0))
    throw new DataError(`${name}: ${logits.length} logits do not divide by ${rows} rows`);
  const classes = logits === null ? null : logits.length / rows;
  const rowsOf = (values: Float32Array, width: number) => (start: number, count: number) =>
    Promise.resolve(values.subarray(start * width, (start + count) * width));
  return {
    name,
    rows,
    dim,
    labels,
    classes,
    features: rowsOf(features, dim),
    logits: logits === null || classes === null ? null : rowsOf(logits, classes),
    ...(images ? { images } : {}),
  };
}

/**
 * Opens a feature file: .npz, .npy, .safetensors, or the reference's .csv. Large ones are streamed.
 * @throws DataError if it cannot be read.
 * @throws FormatError if it is broken, or its arrays do not fit the contract.
 */
export async function openFeatures(path: string, name = path): Promise<FeatureFile> {
  if (path.toLowerCase().endsWith(".csv")) return openCsvFeatures(path, name);
  const store = await openArrays(path);
  try {
    return await fromStore(store, name);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A source over the arrays of an open file. */
export async function fromStore(store: ArrayStore, name: string): Promise<FeatureFile> {
  const features = await matrix(store, "features");
  if (features === null)
    throw new FormatError(
      store.file,
      `holds no "features" [N, D]; it has ${store.names.slice(0, 8).join(", ") || "nothing"}. Save it with numpy.savez(file, features=…, labels=…, logits=…)`,
    );
  const rows = at(features.shape, 0);
  const logits = await matrix(store, "logits");
  if (logits !== null && logits.shape[0] !== rows)
    throw mismatch(store.file, "logits", logits.shape, rows);
  return {
    name,
    file: store.file,
    rows,
    dim: at(features.shape, 1),
    labels: await loadLabels(store, rows),
    classes: logits === null ? null : at(logits.shape, 1),
    features: (start, count) => loadRows(features, start, count),
    logits: logits === null ? null : (start, count) => loadRows(logits, start, count),
    metadata: store.metadata,
    close: () => store.close(),
  };
}

async function loadLabels(store: ArrayStore, rows: number): Promise<Int32Array | null> {
  const labels = await store.find("labels");
  if (labels === null) return null;
  const isColumn = labels.shape.length === 2 && labels.shape[1] === 1;
  if ((labels.shape.length !== 1 && !isColumn) || labels.shape[0] !== rows)
    throw mismatch(store.file, "labels", labels.shape, rows);
  return loadInts(labels);
}

async function matrix(store: ArrayStore, name: string): Promise<StoredArray | null> {
  const array = await store.find(name);
  if (array === null) return null;
  const isFloat = ["f16", "bf16", "f32", "f64"].includes(array.dtype);
  if (array.shape.length !== 2 || at(array.shape, 1) === 0 || !isFloat)
    throw new FormatError(
      store.file,
      `"${name}" must be a matrix of floats, one row per sample; it is ${array.dtype} [${array.shape.join(", ")}]. Reshape it, or convert it with .astype("float32")`,
    );
  return array;
}

function mismatch(file: string, name: string, shape: readonly number[], rows: number): FormatError {
  return new FormatError(
    file,
    `"${name}" [${shape.join(", ")}] does not fit the ${rows} rows of "features"; save both from the same run`,
  );
}

async function openCsvFeatures(path: string, name: string): Promise<FeatureFile> {
  const range = await openRange(path);
  try {
    const table = await openCsv(range, path);
    const close = (): Promise<void> => range.close();
    return { name, file: path, ...table, classes: null, logits: null, metadata: {}, close };
  } catch (error) {
    await range.close();
    throw error;
  }
}
