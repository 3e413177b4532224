/** The detector file: one safetensors with the fitted score, head, threshold and preprocessing. */
import { hostArray, parseSafetensors, serialiseSafetensors } from "../io/index.ts";
import { loadFloats } from "../io/index.ts";
import type { ArrayStore, Head, HostArray } from "../io/index.ts";
import { FormatError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { NamedArray, Params, ScoreState } from "./score.ts";

const SCHEMA = "neco-webgpu/detector@1";
const STATE = "state/";
const HEAD_WEIGHT = "head/weight";
const HEAD_BIAS = "head/bias";
const MODEL = "model/";

/** Any value that JSON can hold. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** All that a detector is, as plain data. */
export interface DetectorSpec {
  /** Name of the score. */
  readonly method: string;
  readonly state: ScoreState;
  /** Samples that score below are out of distribution. */
  readonly threshold: number;
  /** Share of ID validation samples that the threshold keeps. */
  readonly recall: number;
  /** ID validation samples that the threshold was chosen on. */
  readonly validationCount: number;
  readonly dim: number;
  readonly head: Head | null;
  /** Class names by label. */
  readonly classes: readonly string[];
  /** How images become the model's input; whoever runs the model reads it. */
  readonly preprocessing: Json;
  /** The model that makes features of images, when the file carries it: its configuration … */
  readonly model: Json;
  /** … and its weights. */
  readonly modelArrays: Readonly<Record<string, NamedArray>>;
}

const host = ({ values, shape }: NamedArray): HostArray => hostArray(values, shape);

/** The bytes of a detector file. */
export function detectorBytes(spec: DetectorSpec): Promise<Uint8Array> {
  const { head, state } = spec;
  const arrays: Record<string, HostArray> = {};
  for (const [name, array] of Object.entries(state.arrays)) arrays[STATE + name] = host(array);
  for (const [name, array] of Object.entries(spec.modelArrays)) arrays[MODEL + name] = host(array);
  if (head) arrays[HEAD_WEIGHT] = hostArray(head.weight, [head.classes, head.dim]);
  if (head?.bias) arrays[HEAD_BIAS] = hostArray(head.bias, [head.classes]);
  return serialiseSafetensors(arrays, {
    schema: SCHEMA,
    method: spec.method,
    params: JSON.stringify(state.params),
    warnings: JSON.stringify(state.warnings),
    threshold: String(spec.threshold),
    recall: String(spec.recall),
    validation_count: String(spec.validationCount),
    dim: String(spec.dim),
    classes: JSON.stringify(spec.classes),
    preprocessing: JSON.stringify(spec.preprocessing),
    model: JSON.stringify(spec.model),
  });
}

/**
 * Reads a detector file.
 * @throws FormatError if it is none, or a part is missing or broken.
 */
export async function parseDetector(bytes: Uint8Array, file: string): Promise<DetectorSpec> {
  const none = (why: string): FormatError =>
    new FormatError(
      file,
      `holds no detector: ${why}; save one with "neco ood --run", "neco ood --save-detector" or detector.save`,
    );
  // Read as safetensors, the first bytes of a zip archive would be a header's absurd length.
  if (bytes[8] !== "{".charCodeAt(0)) throw none("it is no safetensors file");
  const store = await parseSafetensors(bytes, file);
  const { metadata } = store;
  if (metadata["schema"] !== SCHEMA)
    throw none(`its schema is ${metadata["schema"] ?? "missing"}, not ${SCHEMA}`);
  const number = (name: string): number => {
    const value = Number(metadata[name] ?? "missing");
    if (!Number.isFinite(value))
      throw new FormatError(file, `its ${name} is no number; save it again`);
    return value;
  };
  const json = (name: string): Json => parseJson(metadata[name], name, file);
  const { method } = metadata;
  if (method === undefined) throw new FormatError(file, `names no method; save it again`);
  return {
    method,
    state: {
      arrays: await arraysUnder(store, STATE),
      params: asParams(json("params"), file),
      warnings: asStrings(json("warnings")),
    },
    threshold: number("threshold"),
    recall: number("recall"),
    validationCount: number("validation_count"),
    dim: number("dim"),
    head: await headOf(store),
    classes: asStrings(json("classes")),
    preprocessing: json("preprocessing"),
    model: json("model"),
    modelArrays: await arraysUnder(store, MODEL),
  };
}

async function arraysUnder(store: ArrayStore, prefix: string): Promise<Record<string, NamedArray>> {
  const names = store.names.filter((name) => name.startsWith(prefix));
  const loaded = await Promise.all(
    names.map(async (name): Promise<[string, NamedArray][]> => {
      const array = await store.find(name);
      if (!array) return [];
      return [[name.slice(prefix.length), { shape: array.shape, values: await loadFloats(array) }]];
    }),
  );
  return Object.fromEntries(loaded.flat());
}

async function headOf(store: ArrayStore): Promise<Head | null> {
  const weight = await store.find(HEAD_WEIGHT);
  if (!weight) return null;
  const bias = await store.find(HEAD_BIAS);
  return {
    weight: await loadFloats(weight),
    bias: bias ? await loadFloats(bias) : null,
    classes: at(weight.shape, 0),
    dim: at(weight.shape, 1),
  };
}

function parseJson(text: string | undefined, name: string, file: string): Json {
  try {
    // JSON.parse gives `any`; what JSON holds is Json by definition.
    return JSON.parse(text ?? "null") as Json;
  } catch (cause) {
    throw new FormatError(file, `its ${name} is not JSON; save it again`, { cause });
  }
}

function asParams(value: Json, file: string): Params {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new FormatError(file, `its params are no object; save it again`);
  const params: Record<string, string | number | boolean> = {};
  for (const [name, entry] of Object.entries(value))
    if (typeof entry === "string" || typeof entry === "number" || typeof entry === "boolean")
      params[name] = entry;
  return params;
}

const asStrings = (value: Json): string[] => (Array.isArray(value) ? value.map(String) : []);
