/** The common workloads that every engine is measured on: shapes, data, weights, FLOP counts. */
import type { ParamSpec } from "../src/engine/index.ts";
import { vitConfig } from "../src/vit/index.ts";
import type { ViTConfig } from "../src/vit/index.ts";
import { sizeOf } from "../src/util/shape.ts";

/** Uniform values in (−scale, scale) by xorshift32; the same in every peer and language. */
export function uniform(count: number, seed = 1, scale = 1): Float32Array {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return (state / 4294967296 - 0.5) * 2 * scale;
  });
}

/** The small ViT that all engines train: 28×28 grey images, 4×4 patches. */
export const SMALL_VIT: ViTConfig = {
  name: "small-vit",
  imageSize: 28,
  channels: 1,
  patch: 4,
  dim: 64,
  depth: 4,
  heads: 4,
  mlp: 256,
  classes: 10,
  epsilon: 1e-5,
  dropout: 0,
  attentionDropout: 0,
  dropPath: 0,
};

/** Batch and learning rate of the small ViT's training step. */
export const SMALL_VIT_BATCH = 64;
export const SMALL_VIT_LEARNING_RATE = 0.01;

/** Cross-entropy of the first three steps of plain SGD, as PyTorch, jax-js and tfjs print it. */
export const SMALL_VIT_LOSSES = [2.47528, 2.30493, 2.21991] as const;

/** ViT-B/16 at 224 pixels, with the workloads' epsilon. */
export const VIT_B: ViTConfig = { ...vitConfig("ViT-B_16"), epsilon: 1e-5 };

/** ViT-S/16 at 224 pixels, for training steps of a small batch. */
export const VIT_S: ViTConfig = { ...vitConfig("ViT-S_16"), epsilon: 1e-5 };
export const VIT_S_BATCH = 2;

/** A batch that keeps a GPU busy, and the cross-entropy of its first three steps of plain SGD, as PyTorch has it. */
export const VIT_S_GPU_BATCH = 16;
export const VIT_S_LOSSES = [7.05991, 4.66524, 3.16863] as const;

/**
 * Operations of the products of a forward pass over a batch; a training step counts three times that.
 * In the last block only the class token asks and goes on, in ours and in every peer's graph.
 */
export function vitFlops(config: ViTConfig, batch: number): number {
  const patches = (config.imageSize / config.patch) ** 2;
  const T = patches + 1;
  const { dim: D, depth, mlp, classes, patch, channels } = config;
  const rest = (tokens: number): number =>
    4 * tokens * T * D + 2 * tokens * D * D + 4 * tokens * D * mlp;
  const blocks = depth * 2 * T * D * 3 * D + (depth - 1) * rest(T) + rest(1);
  return batch * (2 * patches * patch * patch * channels * D + blocks + 2 * D * classes);
}

/** Initial parameters, in the order that gives every peer the same numbers. */
export function workloadParams(config: ViTConfig): ParamSpec[] {
  const { dim: D, mlp, depth, classes, patch, channels, imageSize } = config;
  const patches = (imageSize / patch) ** 2;
  const specs: ParamSpec[] = [];
  let seed = 7;
  const random = (name: string, shape: readonly number[], scale: number): void => {
    const values = uniform(sizeOf(shape), seed++ * 7919, scale);
    specs.push({ name, shape, values });
  };
  const constant = (name: string, shape: readonly number[], value: number): void => {
    specs.push({ name, shape, values: new Float32Array(sizeOf(shape)).fill(value) });
  };
  const norm = (name: string): void => {
    constant(`${name}.weight`, [D], 1);
    constant(`${name}.bias`, [D], 0);
  };
  const linear = (name: string, [inputs, outputs]: [number, number], scale: number): void => {
    random(`${name}.weight`, [inputs, outputs], scale);
    constant(`${name}.bias`, [outputs], 0);
  };
  linear("patch_embed.proj", [patch * patch * channels, D], 0.2);
  random("cls_token", [1, 1, D], 0.02);
  random("pos_embed", [1, patches + 1, D], 0.02);
  const scale = Math.sqrt(1 / D);
  for (let layer = 0; layer < depth; layer++) {
    const at = `blocks.${layer}`;
    norm(`${at}.norm1`);
    linear(`${at}.attn.qkv`, [D, 3 * D], scale);
    linear(`${at}.attn.proj`, [D, D], scale);
    norm(`${at}.norm2`);
    linear(`${at}.mlp.fc1`, [D, mlp], scale);
    linear(`${at}.mlp.fc2`, [mlp, D], Math.sqrt(1 / mlp));
  }
  norm("norm");
  linear("head", [D, classes], scale);
  return specs;
}

/** A batch of patches [B, T−1, P·P·C] with labels. */
export function workloadBatch(
  config: ViTConfig,
  batch: number,
  seed = 99,
): { patches: Float32Array; shape: number[]; labels: Int32Array } {
  const count = (config.imageSize / config.patch) ** 2;
  const shape = [batch, count, config.patch ** 2 * config.channels];
  return {
    patches: uniform(sizeOf(shape), seed, 1),
    shape,
    labels: Int32Array.from({ length: batch }, (_, i) => (i * 7 + 3) % config.classes),
  };
}
