/** Loads Google's ViT .npz checkpoints (JAX names), as published with the paper. */
import { FormatError } from "../../util/errors.ts";
import { sameShape, show, sizeOf } from "../../util/shape.ts";
import type { Shape } from "../../util/shape.ts";
import { loadFloats } from "../../io/index.ts";
import type { ArrayStore } from "../../io/index.ts";
import type { ViTConfig } from "../config.ts";
import { gridSide, resizePositions } from "./positions.ts";
import { mismatch } from "./timm.ts";
import type { AdaptOptions, LoadedWeights, LoadReport, ParamValues, ValueSource } from "./timm.ts";

/** True for a store that holds a Google ViT. */
export const isGoogle = (store: ArrayStore): boolean =>
  store.names.includes("Transformer/posembed_input/pos_embedding");

interface Source {
  readonly name: string;
  /** JAX keys; several are joined along the last axis (query, key, value). */
  readonly keys: readonly string[];
  readonly shape: Shape;
}

/** JAX keeps matrices [in, out] as we do, so most parameters are copied as they lie. */
function sources({ dim, heads, mlp, patch, channels, depth }: ViTConfig): Source[] {
  const head = dim / heads;
  const one = (name: string, key: string, shape: Shape): Source => ({ name, keys: [key], shape });
  const norm = (name: string, key: string): Source[] => [
    one(`${name}.weight`, `${key}/scale`, [dim]),
    one(`${name}.bias`, `${key}/bias`, [dim]),
  ];
  const block = (layer: number): Source[] => {
    const ours = `blocks.${layer}`;
    const theirs = `Transformer/encoderblock_${layer}`;
    const attention = `${theirs}/MultiHeadDotProductAttention_1`;
    const three = (part: string): string[] =>
      ["query", "key", "value"].map((role) => `${attention}/${role}/${part}`);
    return [
      ...norm(`${ours}.norm1`, `${theirs}/LayerNorm_0`),
      { name: `${ours}.attn.qkv.weight`, keys: three("kernel"), shape: [dim, heads, head] },
      { name: `${ours}.attn.qkv.bias`, keys: three("bias"), shape: [heads, head] },
      one(`${ours}.attn.proj.weight`, `${attention}/out/kernel`, [heads, head, dim]),
      one(`${ours}.attn.proj.bias`, `${attention}/out/bias`, [dim]),
      ...norm(`${ours}.norm2`, `${theirs}/LayerNorm_2`),
      one(`${ours}.mlp.fc1.weight`, `${theirs}/MlpBlock_3/Dense_0/kernel`, [dim, mlp]),
      one(`${ours}.mlp.fc1.bias`, `${theirs}/MlpBlock_3/Dense_0/bias`, [mlp]),
      one(`${ours}.mlp.fc2.weight`, `${theirs}/MlpBlock_3/Dense_1/kernel`, [mlp, dim]),
      one(`${ours}.mlp.fc2.bias`, `${theirs}/MlpBlock_3/Dense_1/bias`, [dim]),
    ];
  };
  return [
    // HWIO: (row, column, channel, D), which is our order of a patch's inputs
    one("patch_embed.proj.weight", "embedding/kernel", [patch, patch, channels, dim]),
    one("patch_embed.proj.bias", "embedding/bias", [dim]),
    one("cls_token", "cls", [1, 1, dim]),
    ...Array.from({ length: depth }, (_, layer) => block(layer)).flat(),
    ...norm("norm", "Transformer/encoder_norm"),
  ];
}

/** Joins [rows, n] blocks along the last axis. */
function joinColumns(blocks: readonly Float32Array[], rows: number): Float32Array {
  const total = blocks.reduce((sum, { length }) => sum + length, 0);
  const out = new Float32Array(total);
  let column = 0;
  for (const block of blocks) {
    const width = block.length / rows;
    for (let row = 0; row < rows; row++)
      out.set(block.subarray(row * width, (row + 1) * width), (row * total) / rows + column);
    column += width;
  }
  return out;
}

/**
 * Loads a Google checkpoint into this model; its pre_logits layer is ignored, as in the reference.
 * @throws FormatError listing every missing key and every wrong shape.
 */
export async function loadGoogle(
  store: ArrayStore,
  config: ViTConfig,
  initial: ValueSource,
  options: AdaptOptions,
): Promise<LoadedWeights> {
  const values: ParamValues = new Map();
  const problems: string[] = [];
  const read = async (key: string, shape: Shape | null): Promise<Float32Array> => {
    const stored = await store.find(key);
    if (!stored) problems.push(`${key} is missing`);
    else if (shape && !sameShape(stored.shape, shape))
      problems.push(`${key} is ${show(stored.shape)}, not ${show(shape)}`);
    else return loadFloats(stored);
    return new Float32Array(shape ? sizeOf(shape) : 0);
  };
  const plan = sources(config);
  for (const { name, keys, shape } of plan) {
    const blocks = await Promise.all(keys.map((key) => read(key, shape)));
    values.set(name, joinColumns(blocks, name.endsWith("qkv.weight") ? config.dim : 1));
  }
  const positionsResized = await loadPositions(store, { config, values, problems }, options);
  const headReplaced = await loadHead(store, { config, values, initial, problems }, options);
  if (problems.length > 0) throw new FormatError(store.file, mismatch(config, problems));
  const known = new Set([...plan.flatMap(({ keys }) => keys), POSITIONS, HEAD, "head/bias"]);
  const unknown = store.names.filter((name) => !known.has(name));
  return { values, report: { headReplaced, positionsResized, unknown } };
}

const POSITIONS = "Transformer/posembed_input/pos_embedding";
const HEAD = "head/kernel";

interface Target {
  readonly config: ViTConfig;
  readonly values: ParamValues;
  readonly problems: string[];
}

async function loadPositions(
  store: ArrayStore,
  { config, values, problems }: Target,
  { interpolation }: AdaptOptions,
): Promise<LoadReport["positionsResized"]> {
  const stored = await store.find(POSITIONS);
  const from = stored ? gridSide(stored.shape) : 0;
  if (!stored || from === 0) {
    problems.push(`${POSITIONS} is ${stored ? "not a square grid" : "missing"}`);
    return null;
  }
  const loaded = await loadFloats(stored);
  const to = config.imageSize / config.patch;
  const { dim } = config;
  values.set(
    "pos_embed",
    from === to ? loaded : resizePositions(loaded, { from, to, dim }, interpolation),
  );
  return from === to ? null : { from, to };
}

async function loadHead(
  store: ArrayStore,
  { config, values, initial, problems }: Target & { readonly initial: ValueSource },
  { head }: AdaptOptions,
): Promise<boolean> {
  const kernel = await store.find(HEAD);
  const bias = await store.find("head/bias");
  const fits = kernel !== null && sameShape(kernel.shape, [config.dim, config.classes]);
  if (head === "keep" && !fits) problems.push(`${HEAD} is not [${config.dim}, ${config.classes}]`);
  if (head !== "replace" && fits && bias) {
    values.set("head.weight", await loadFloats(kernel));
    values.set("head.bias", await loadFloats(bias));
    return false;
  }
  for (const name of ["head.weight", "head.bias"]) {
    const value = initial.get(name);
    if (value) values.set(name, value);
  }
  return true;
}
