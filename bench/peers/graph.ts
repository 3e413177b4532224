/** The works as functions of ops that every peer has: one definition, whatever engine runs it. */
import type { ViTConfig } from "../../src/vit/index.ts";
import type { Work } from "./works.ts";

/** The ops that the works are made of; T is an engine's tensor, or a name in a file. */
export interface GraphOps<T> {
  /** a · b over the last two axes, or a · bᵀ; leading axes are equal. */
  matmul(a: T, b: T, transposeB?: boolean): T;
  /** x · weight + bias, with x [..., K], weight [K, N] and bias [N]. */
  linear(x: T, weight: T, bias: T): T;
  /** Elementwise, b repeated over its axes of size 1. */
  add(a: T, b: T): T;
  scale(x: T, factor: number): T;
  /** Along the last axis. */
  softmax(x: T): T;
  /** Along the last axis, with {@link EPSILON}. */
  layernorm(x: T, weight: T, bias: T): T;
  /** x · Φ(x), exact. */
  gelu(x: T): T;
  reshape(x: T, shape: readonly number[]): T;
  transpose(x: T, order: readonly number[]): T;
  /** Elements from `start` to before `end` of an axis. */
  slice(x: T, range: { axis: number; start: number; end: number }): T;
  concat(a: T, b: T, axis: number): T;
  /** The first axis, of size 1, `count` times. */
  repeat(x: T, count: number): T;
}

/** Added to LayerNorm's variance. */
export const EPSILON = 1e-5;

/** Finds an input by its name. */
export type Find<T> = (name: string) => T;

/** The output of a work that is a graph: everything but training and decompositions. */
export function output<T>(ops: GraphOps<T>, work: Work, find: Find<T>): T {
  switch (work.kind) {
    case "matmul":
      return ops.matmul(find("a"), find("b"));
    case "attention":
      return attention(ops, [find("q"), find("k"), find("v")], work.headSize);
    case "softmax":
      return ops.softmax(find("x"));
    case "layernorm":
      return ops.layernorm(find("x"), find("weight"), find("bias"));
    case "gelu":
      return ops.gelu(find("x"));
    case "vit":
      return logits(ops, work, find);
    case "train":
    case "eigh":
    case "decompose":
      throw new TypeError(`${work.name} is no graph`);
    default:
      return work satisfies never;
  }
}

/** softmax(q · kᵀ / √d) · v over the last two axes. */
function attention<T>(ops: GraphOps<T>, [q, k, v]: readonly [T, T, T], headSize: number): T {
  const scores = ops.scale(ops.matmul(q, k, true), 1 / Math.sqrt(headSize));
  return ops.matmul(ops.softmax(scores), v);
}

/**
 * Logits [N, C] of a ViT from patches [N, T−1, P·P·channels]. The last block goes on with the
 * class token alone, as in src/vit: every engine is spared the same work.
 */
export function logits<T>(
  ops: GraphOps<T>,
  { config, batch }: { config: ViTConfig; batch: number },
  find: Find<T>,
): T {
  const { depth, dim } = config;
  const linear = (x: T, name: string): T =>
    ops.linear(x, find(`${name}.weight`), find(`${name}.bias`));
  const norm = (x: T, name: string): T =>
    ops.layernorm(x, find(`${name}.weight`), find(`${name}.bias`));
  const patches = linear(find("patches"), "patch_embed.proj"); // [N, T−1, D]
  let x = ops.concat(ops.repeat(find("cls_token"), batch), patches, 1); // [N, T, D]
  x = ops.add(x, find("pos_embed"));
  for (let layer = 0; layer < depth; layer++) {
    const at = `blocks.${layer}`;
    const last = layer === depth - 1;
    const qkv = linear(norm(x, `${at}.norm1`), `${at}.attn.qkv`); // [N, T, 3D]
    const attended = multiHead(ops, qkv, { config, batch, last });
    const skip = last ? ops.slice(x, { axis: 1, start: 0, end: 1 }) : x;
    x = ops.add(skip, linear(attended, `${at}.attn.proj`));
    const hidden = ops.gelu(linear(norm(x, `${at}.norm2`), `${at}.mlp.fc1`));
    x = ops.add(x, linear(hidden, `${at}.mlp.fc2`));
  }
  return linear(norm(ops.reshape(x, [batch, dim]), "norm"), "head");
}

/** Attention of all heads from qkv [N, T, 3D]: [N, T, D], or of the first token alone. */
function multiHead<T>(
  ops: GraphOps<T>,
  qkv: T,
  { config, batch, last }: { config: ViTConfig; batch: number; last: boolean },
): T {
  const { dim, heads, imageSize, patch } = config;
  const tokens = (imageSize / patch) ** 2 + 1;
  const queries = last ? 1 : tokens;
  const headsOf = (which: number, count: number): T => {
    const part = ops.slice(qkv, { axis: 2, start: which * dim, end: (which + 1) * dim });
    const rows = count === tokens ? part : ops.slice(part, { axis: 1, start: 0, end: count });
    return ops.transpose(ops.reshape(rows, [batch, count, heads, dim / heads]), [0, 2, 1, 3]);
  };
  const parts = [headsOf(0, queries), headsOf(1, tokens), headsOf(2, tokens)] as const;
  const attended = attention(ops, parts, dim / heads); // [N, H, queries, D/H]
  return ops.reshape(ops.transpose(attended, [0, 2, 1, 3]), [batch, queries, dim]);
}
