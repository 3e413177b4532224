/** Names and shapes of a ViT's parameters: timm's names, matrices kept [in, out]. */
import type { Shape } from "../../util/shape.ts";
import { tokenCount } from "../config.ts";
import type { ViTConfig } from "../config.ts";

/**
 * How a parameter is stored here and in files. A `matrix` is [in, out] here (what forward matmuls
 * read fastest) and [out, in] in timm's files; a `patch` kernel is [P·P·C, D] here, ordered (row,
 * column, channel) as patchify cuts, and [D, C, P, P] there.
 */
export type ParamKind = "matrix" | "patch" | "vector" | "token";

/** A parameter of the model. */
export interface ParamLayout {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: ParamKind;
}

function linear(name: string, inputs: number, outputs: number): ParamLayout[] {
  return [
    { name: `${name}.weight`, shape: [inputs, outputs], kind: "matrix" },
    { name: `${name}.bias`, shape: [outputs], kind: "vector" },
  ];
}

function norm(name: string, dim: number): ParamLayout[] {
  return [
    { name: `${name}.weight`, shape: [dim], kind: "vector" },
    { name: `${name}.bias`, shape: [dim], kind: "vector" },
  ];
}

/** Every parameter of a ViT, in a fixed order. */
export function paramLayout(config: ViTConfig): ParamLayout[] {
  const { dim, mlp, patch, channels, classes, depth } = config;
  const blocks = Array.from({ length: depth }, (_, layer) => [
    ...norm(`blocks.${layer}.norm1`, dim),
    ...linear(`blocks.${layer}.attn.qkv`, dim, 3 * dim),
    ...linear(`blocks.${layer}.attn.proj`, dim, dim),
    ...norm(`blocks.${layer}.norm2`, dim),
    ...linear(`blocks.${layer}.mlp.fc1`, dim, mlp),
    ...linear(`blocks.${layer}.mlp.fc2`, mlp, dim),
  ]);
  return [
    { name: "patch_embed.proj.weight", shape: [patch * patch * channels, dim], kind: "patch" },
    { name: "patch_embed.proj.bias", shape: [dim], kind: "vector" },
    { name: "cls_token", shape: [1, 1, dim], kind: "token" },
    { name: "pos_embed", shape: [1, tokenCount(config), dim], kind: "token" },
    ...blocks.flat(),
    ...norm("norm", dim),
    ...linear("head", dim, classes),
  ];
}
