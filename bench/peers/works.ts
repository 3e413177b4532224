/** What all engines are measured on: shapes, tolerances and operation counts. */
import { decompositions } from "./decompositions.ts";
import type { Decomposition } from "./decompositions.ts";
import type { Shape } from "../../src/util/shape.ts";
import type { ViTConfig } from "../../src/vit/index.ts";
import {
  SMALL_VIT,
  SMALL_VIT_BATCH,
  SMALL_VIT_LOSSES,
  VIT_B,
  VIT_S,
  VIT_S_GPU_BATCH,
  VIT_S_LOSSES,
  vitFlops,
} from "../workloads.ts";

/** Values on the host; f32, except for labels. */
export interface HostInput {
  readonly shape: Shape;
  readonly values: Float32Array | Int32Array;
  /** A weight stays in the engine; other inputs are data. */
  readonly weight: boolean;
}

interface Common {
  /** What --only matches. */
  readonly name: string;
  readonly title: string;
  /** Most |Δ| from the reference over the reference's largest |value|. */
  readonly tolerance: number;
  readonly why: string;
  /** Operations, 0 where they are not the point. */
  readonly flops: number;
  /** Bytes read and written at least, 0 where they are not the point. */
  readonly bytes: number;
  /** Takes software adapters minutes: measured on GPUs alone, or where its name is asked for. */
  readonly isLarge?: boolean;
}

/** A piece of work; `kind` says which function of graph.ts it is. */
export type Work = Common &
  (
    | { readonly kind: "matmul"; readonly size: number }
    | {
        readonly kind: "attention";
        readonly heads: number;
        readonly tokens: number;
        readonly headSize: number;
      }
    | {
        readonly kind: "softmax" | "layernorm" | "gelu";
        readonly rows: number;
        readonly cols: number;
      }
    | { readonly kind: "vit"; readonly config: ViTConfig; readonly batch: number }
    | {
        readonly kind: "train";
        readonly config: ViTConfig;
        readonly batch: number;
        /** Of the first steps, by PyTorch. */
        readonly losses: readonly number[];
      }
    | { readonly kind: "eigh"; readonly size: number }
    | Decomposition
  );

const F32 = 4; // bytes

const matmul = (size: number): Work => ({
  kind: "matmul",
  name: `matmul-${size}`,
  title: `matmul ${size}³`,
  size,
  flops: 2 * size ** 3,
  bytes: 0,
  tolerance: 1e-5,
  why: "sums of up to 4096 terms in f32",
});

const HEADS = 24;
const TOKENS = 197;
const HEAD_SIZE = 64;

/** All works, in the order of the table. */
export const works: readonly Work[] = [
  matmul(512),
  matmul(1024),
  { ...matmul(4096), isLarge: true },
  {
    kind: "attention",
    name: "attention",
    title: `attention ${HEADS} heads × ${TOKENS} × ${HEAD_SIZE}, forward`,
    heads: HEADS,
    tokens: TOKENS,
    headSize: HEAD_SIZE,
    flops: 4 * HEADS * TOKENS * TOKENS * HEAD_SIZE,
    bytes: 0,
    tolerance: 2e-5,
    why: "a mean of 197 values whose weights carry the error of exp",
  },
  {
    kind: "softmax",
    name: "softmax",
    title: "softmax 2304×197",
    rows: 2304,
    cols: 197,
    flops: 0,
    bytes: 2 * F32 * 2304 * 197,
    tolerance: 1e-5,
    why: "exp to a few ULP and a sum of 197 terms",
  },
  {
    kind: "layernorm",
    name: "layernorm",
    title: "LayerNorm 1576×768",
    rows: 1576,
    cols: 768,
    flops: 0,
    bytes: 2 * F32 * 1576 * 768,
    tolerance: 1e-5,
    why: "two sums of 768 terms",
  },
  {
    kind: "gelu",
    name: "gelu",
    title: "GELU (erf) 1576×3072",
    rows: 1576,
    cols: 3072,
    flops: 0,
    bytes: 2 * F32 * 1576 * 3072,
    tolerance: 1e-5,
    why: "erf by polynomials good to about 1e-7",
  },
  {
    kind: "train",
    name: "small-vit-step",
    title: `small ViT, training step, batch ${SMALL_VIT_BATCH}`,
    config: SMALL_VIT,
    batch: SMALL_VIT_BATCH,
    losses: SMALL_VIT_LOSSES,
    flops: 3 * vitFlops(SMALL_VIT, SMALL_VIT_BATCH),
    bytes: 0,
    tolerance: 1e-5,
    why: "losses of the first three steps, known to 5 decimals",
  },
  {
    kind: "train",
    name: "vit-s16-step",
    title: `ViT-S/16, 224 pixels, training step, batch ${VIT_S_GPU_BATCH}`,
    config: VIT_S,
    batch: VIT_S_GPU_BATCH,
    losses: VIT_S_LOSSES,
    flops: 3 * vitFlops(VIT_S, VIT_S_GPU_BATCH),
    bytes: 0,
    tolerance: 1e-4,
    why: "losses of the first three steps, f32 through 12 blocks",
    isLarge: true,
  },
  {
    kind: "vit",
    name: "small-vit-infer",
    title: `small ViT, inference, batch ${SMALL_VIT_BATCH}`,
    config: SMALL_VIT,
    batch: SMALL_VIT_BATCH,
    flops: vitFlops(SMALL_VIT, SMALL_VIT_BATCH),
    bytes: 0,
    tolerance: 1e-4,
    why: "f32 through 4 blocks",
  },
  {
    kind: "vit",
    name: "vit-b16-infer",
    title: "ViT-B/16, 224 pixels, inference, batch 1",
    config: VIT_B,
    batch: 1,
    flops: vitFlops(VIT_B, 1),
    bytes: 0,
    tolerance: 1e-4,
    why: "f32 through 12 blocks",
  },
  ...[128, 768].map((size): Work => ({
    kind: "eigh",
    name: `eigh-${size}`,
    title: `symmetric eigenproblem, D = ${size}`,
    size,
    flops: 0,
    bytes: 0,
    tolerance: 1e-4,
    why: "‖A v − λ v‖ / max |λ| and |VᵀV − I|, up to D · 2⁻²³",
  })),
  ...decompositions,
];
