/** Shapes that ops are timed at beside those of their cases. */
import type { BenchRow, InputSpec } from "../../src/kernels/case.ts";
import type { OpName } from "../../src/kernels/index.ts";
import type { DType, Shape } from "../../src/util/shape.ts";

const ARENA = 1 << 20; // elements, as the other ops on arenas
const SIDE = 768; // as the other Householder step

/** For ops whose cases state none. */
export const SHAPES: Partial<Record<OpName, BenchRow>> = {
  fill: { inputs: [{ shape: [ARENA] }] },
  reshape: { inputs: [{ shape: [3200, 192] }], attrs: { shape: [64, 50, 192] } },
  householderReflect: {
    inputs: [[SIDE, SIDE], [SIDE], [SIDE, SIDE], [SIDE], [3, SIDE]].map((shape) => ({ shape })),
    attrs: { column: 0 },
  },
};

/** Seed and step that masks are drawn with. */
const KEY: InputSpec = { shape: [4], dtype: "u32", values: [1, 0, 1, 0] };
const DROPOUT = { rate: 0.1, stream: 1 };

/** Batch, tokens, heads and the width of all heads. */
type Heads = readonly [batch: number, tokens: number, heads: number, width: number];
const SMALL: Heads = [64, 50, 4, 64];
const VIT_B: Heads = [2, 197, 12, 768];

const attentionRow = ([N, T, heads, D]: Heads): BenchRow => ({
  inputs: [{ shape: [N, T, 3 * D] }, KEY],
  attrs: { heads, ...DROPOUT },
});

function backwardRow(
  [N, T, heads, D]: Heads,
  { dtype, hasDropout }: { dtype: DType; hasDropout: boolean },
): BenchRow {
  return {
    inputs: [
      { shape: [N, T, D], dtype },
      { shape: [N, T, 3 * D], dtype },
      { shape: [N, T, D], dtype },
      { shape: [N, heads, T], range: [4, 6] }, // near ln T, so that weights are what they are
      ...(hasDropout ? [KEY] : []),
    ],
    attrs: { heads, ...(hasDropout ? DROPOUT : {}) },
  };
}

/** Calls that training and linear algebra make and cases do not time. */
export const MORE: Partial<Record<OpName, readonly BenchRow[]>> = {
  attention: [attentionRow(SMALL), attentionRow(VIT_B)],
  attentionBackward: [
    backwardRow(SMALL, { dtype: "f32", hasDropout: true }),
    backwardRow(VIT_B, { dtype: "f32", hasDropout: true }),
    backwardRow(SMALL, { dtype: "f16", hasDropout: false }),
    backwardRow(VIT_B, { dtype: "f16", hasDropout: false }),
  ],
  matmul: [
    { inputs: [{ shape: [8, 64, 64] }, { shape: [8, 64, 64] }] },
    {
      inputs: [{ shape: [512, 512] }, { shape: [512, 512] }],
      attrs: { transposeA: true, transposeB: true },
    },
  ],
};

const ROWS = 128 * 197; // of 768: 78 MB
const WIDTH = 768;
const PARAMS = 1 << 23; // 34 MB for each of a step's four arenas

/** A memory-bound call beyond a GPU's caches; software adapters take seconds for it. */
const beyondCaches = (...inputs: readonly (InputSpec | Shape)[]): BenchRow => ({
  inputs: inputs.map((input) => ("shape" in input ? input : { shape: input })),
  only: "gpu",
});

const one = (value: number): InputSpec => ({ shape: [1], values: [value] });

/** The large row of an op. */
export const LARGE: Partial<Record<OpName, BenchRow>> = {
  add: beyondCaches([ROWS, WIDTH], [ROWS, WIDTH]),
  gelu: beyondCaches([64 * 197, 1536]),
  layernorm: beyondCaches([ROWS, WIDTH], [WIDTH], [WIDTH]),
  layernormBackward: beyondCaches(
    ...[[ROWS, WIDTH], [ROWS, WIDTH], [WIDTH]],
    { shape: [ROWS], range: [-0.1, 0.1] },
    { shape: [ROWS], range: [0.5, 2] },
  ),
  softmax: beyondCaches([128 * 768, 197]),
  softmaxBackward: beyondCaches([128 * 768, 197], { shape: [128 * 768, 197], range: [0, 1] }),
  crossEntropy: beyondCaches(
    { shape: [ROWS, WIDTH], range: [-3, 3] },
    { shape: [ROWS], dtype: "i32", range: [0, WIDTH] },
    { shape: [1], dtype: "u32", values: [ROWS] },
  ),
  adamw: {
    ...beyondCaches(
      ...[[PARAMS], [PARAMS]],
      { shape: [PARAMS], range: [-0.1, 0.1] },
      { shape: [PARAMS], range: [0, 0.01] },
      ...[0.003, 1, 0.7].map(one), // learning rate, step, scale of the gradient
    ),
  },
};
