/** A Vision Transformer as scores look into it: where src/vit and src/neco meet over images. */
import type { Engine } from "./engine/index.ts";
import type { ImageModel } from "./neco/index.ts";
import { ELEMENT_BYTES } from "./util/shape.ts";
import { imageTensor, tokenCount, ViT } from "./vit/index.ts";
import type { Transform, ViTConfig, Weights } from "./vit/index.ts";

const MAX_BATCH = 128;
const ACTIVATION_BYTES = 1024 ** 3; // of a gradient, at most

/** Images of which a gradient's activations stay within bounds; a power of two. */
function batchOf(config: ViTConfig, maxBindingBytes: number): number {
  const { depth, dim, mlp } = config;
  const tokens = tokenCount(config) * ELEMENT_BYTES.f32;
  const widest = tokens * Math.max(3 * dim, mlp);
  // A block keeps what its parts read: two norms, qkv, attention, two sums, the MLP before and after.
  const kept = tokens * depth * (10 * dim + 2 * mlp);
  const fitting = Math.min(maxBindingBytes / widest, ACTIVATION_BYTES / kept, MAX_BATCH);
  return 2 ** Math.max(0, Math.floor(Math.log2(fitting)));
}

/** A ViT on the engine. */
export interface VitOnEngine {
  readonly config: ViTConfig;
  /** Read at every run; must outlive the scores. */
  readonly weights: Weights;
  /** Of the images that scores will give; its augmentation is not used. */
  readonly transform: Transform;
}

/** What scores ask of a network, answered by a ViT in evaluation mode. */
export function vitImageModel(
  engine: Engine,
  { config, weights, transform }: VitOnEngine,
): ImageModel {
  const { ops, caps } = engine;
  const still = { ...transform, augmentation: null };
  return {
    batch: batchOf(config, caps.maxBindingBytes),
    imageBytes: transform.height * transform.width * transform.channels,
    std: transform.std,
    depth: config.depth,
    dim: config.dim,
    classes: config.classes,
    input: (pixels, count) =>
      // The test transform draws nothing, whatever the key.
      imageTensor(ops, still, { pixels, key: engine.tensor(new Uint32Array(4)), count }),
    forward: (x, each) => new ViT(ops, config, weights).forward(x, each ?? null),
  };
}
