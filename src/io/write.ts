/** Writes feature files: at once from memory, or block by block while features are extracted. */
import { openWriter } from "#platform";
import { DataError } from "../util/errors.ts";
import { writeCsv } from "./csv.ts";
import { bytesOf, encodeFloats, hostArray } from "./element.ts";
import { memoryFeatures, type FeatureArrays, type Head } from "./features.ts";
import { npzWriter } from "./npz.ts";
import { formatOf } from "./open.ts";
import { safetensorsWriter } from "./safetensors.ts";
import type { ArrayLayout } from "./writer.ts";

/** What a feature file will hold, known before its rows are. */
export interface FeatureLayout {
  readonly rows: number;
  readonly dim: number;
  /** Columns of the logits, or null for none. */
  readonly classes: number | null;
  readonly hasLabels: boolean;
  readonly head?: Head | null;
  readonly metadata?: Readonly<Record<string, string>>;
  /** How features are stored; f32 unless told. Logits and head are f32. */
  readonly dtype?: "f16" | "f32";
}

/** A block of rows. */
export interface FeatureBlock {
  readonly features: Float32Array; // [B, D]
  readonly logits?: Float32Array | null; // [B, C]
  readonly labels?: Int32Array | null; // [B]
}

/** Fills a feature file in row order; the file appears at `finish`. */
export interface FeatureWriter {
  append(block: FeatureBlock): Promise<void>;
  /** @throws DataError if rows are missing. */
  finish(): Promise<void>;
  /** Leaves no file behind. */
  abort(): Promise<void>;
}

/**
 * Starts a .npz or .safetensors feature file.
 * @throws UsageError if the name ends otherwise.
 * @throws DataError if the file cannot be written.
 */
export async function createFeatures(path: string, layout: FeatureLayout): Promise<FeatureWriter> {
  const { rows, dim, classes, hasLabels, head = null, metadata = {}, dtype = "f32" } = layout;
  const layouts: ArrayLayout[] = [{ name: "features", dtype, shape: [rows, dim] }];
  if (hasLabels) layouts.push({ name: "labels", dtype: "i32", shape: [rows] });
  if (classes !== null) layouts.push({ name: "logits", dtype: "f32", shape: [rows, classes] });
  if (head) layouts.push({ name: "W", dtype: "f32", shape: [head.classes, head.dim] });
  if (head?.bias) layouts.push({ name: "b", dtype: "f32", shape: [head.classes] });
  const start = formatOf(path) === "npz" ? npzWriter : safetensorsWriter;
  const writer = await start(layouts, metadata, () => openWriter(path));
  if (head) await writer.append("W", bytesOf(head.weight));
  if (head?.bias) await writer.append("b", bytesOf(head.bias));
  return {
    async append({ features, logits = null, labels = null }) {
      if ((labels !== null) !== hasLabels || (logits !== null) !== (classes !== null))
        throw new DataError(`${path}: a block does not hold what the file is planned to hold`);
      await writer.append("features", encodeFloats(features, dtype));
      if (labels) await writer.append("labels", bytesOf(labels));
      if (logits) await writer.append("logits", bytesOf(logits));
    },
    finish: () => writer.finish(),
    abort: () => writer.abort(),
  };
}

/** How {@link writeFeatures} stores. */
export interface WriteOptions {
  readonly head?: Head | null;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly dtype?: "f16" | "f32";
}

/**
 * Writes a feature file, whole or not at all: .npz, .safetensors, or the reference's .csv.
 * @throws DataError if the arrays do not fit together or the file cannot be written.
 */
export async function writeFeatures(
  path: string,
  arrays: FeatureArrays,
  options: WriteOptions = {},
): Promise<void> {
  const source = memoryFeatures(path, arrays);
  if (path.toLowerCase().endsWith(".csv")) return writeCsv(await openWriter(path), source);
  const { rows, dim, classes, labels } = source;
  const layout = { rows, dim, classes, hasLabels: labels !== null, ...options };
  const writer = await createFeatures(path, layout);
  try {
    await writer.append(arrays);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** A head as arrays to store, under the names of the contract. */
export const headArrays = (head: Head): Record<string, ReturnType<typeof hostArray>> => ({
  W: hostArray(head.weight, [head.classes, head.dim]),
  ...(head.bias ? { b: hostArray(head.bias) } : {}),
});
