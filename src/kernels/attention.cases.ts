/** Cases of attention, its gradient and its maps. Never imported by the library. */
import { backward64, eachRow, forward64, rowIndex } from "./attention64.ts";
import { array64 } from "./case.ts";
import type { OpCases, Sample } from "./case.ts";

/** Seed and step of the samples with dropout. */
const KEY = { shape: [4], dtype: "u32", values: [0xdeadbeef, 1, 4_000_000_000, 2] } as const;

/** Oracle of attention. */
export const attentionCases: OpCases = {
  reference: (inputs, attrs) => forward64(inputs, attrs, (value) => value),
  scale: (inputs, attrs) => forward64(inputs, attrs, Math.abs),
  // Few head sizes, since each has kernels of its own: 1, 3 and 5 (no multiple of anything), 16,
  // 64 (ViT-B), 130 and 250 (no lane holds their rows, and tiles are smaller) and 258 (only `wide`
  // takes it). 33 × 4 heads of two blocks are as many as give a workgroup 32 rows instead of 16.
  samples: [
    { inputs: [{ shape: [2, 5, 18] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 1, 9] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 67, 9], range: [-2, 2] }], attrs: { heads: 1 } }, // two tiles of keys
    { inputs: [{ shape: [2, 17, 96], range: [-2, 2] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 70, 6] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 197, 9], range: [-2, 2] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 257, 15], range: [-2, 2] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 18, 390] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 37, 192], range: [-2, 2] }], attrs: { heads: 1 }, gradient: false },
    { inputs: [{ shape: [33, 35, 36] }], attrs: { heads: 4 }, gradient: false },
    { inputs: [{ shape: [1, 3, 774] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 66, 774] }], attrs: { heads: 1 }, gradient: false }, // slow differences
    { inputs: [{ shape: [2, 5, 18] }, KEY], attrs: { heads: 2, rate: 0.5, stream: 3 } },
    { inputs: [{ shape: [1, 1, 9] }, KEY], attrs: { heads: 1, rate: 0.3 } },
    { inputs: [{ shape: [2, 67, 9] }, KEY], attrs: { heads: 1, rate: 0.1, stream: 4e9 } },
    { inputs: [{ shape: [2, 17, 96] }, KEY], attrs: { heads: 2, rate: 0.25, stream: 1 } },
    { inputs: [{ shape: [1, 197, 6] }, KEY], attrs: { heads: 2, rate: 0.9, stream: 2 } },
    { inputs: [{ shape: [1, 18, 750] }, KEY], attrs: { heads: 1, rate: 0.5, stream: 5 } },
    { inputs: [{ shape: [1, 6, 774] }, KEY], attrs: { heads: 1, rate: 0.5, stream: 6 } },
    { inputs: [{ shape: [1, 9, 9] }, KEY], attrs: { heads: 1 } }, // rate 0: the key is not used
    { inputs: [{ shape: [2, 5, 18] }], attrs: { heads: 2, queries: 1 } },
    { inputs: [{ shape: [2, 5, 18] }], attrs: { heads: 2, queries: 5 } }, // all of them, by number
    { inputs: [{ shape: [2, 67, 9], range: [-2, 2] }], attrs: { heads: 1, queries: 3 } },
    { inputs: [{ shape: [2, 17, 96], range: [-2, 2] }], attrs: { heads: 2, queries: 16 } },
    { inputs: [{ shape: [2, 67, 9] }, KEY], attrs: { heads: 1, queries: 1, rate: 0.1 } },
    { inputs: [{ shape: [2, 17, 96] }, KEY], attrs: { heads: 2, queries: 9, rate: 0.25 } },
    { inputs: [{ shape: [1, 6, 774] }, KEY], attrs: { heads: 1, queries: 3, rate: 0.5 } },
    { inputs: [{ shape: [2, 17, 96], dtype: "f16" }], attrs: { heads: 2, queries: 1 } },
    { inputs: [{ shape: [2, 5, 18], dtype: "f16" }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 67, 9], dtype: "f16", range: [-2, 2] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [2, 17, 96], dtype: "f16", range: [-2, 2] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [2, 17, 96], dtype: "f16" }, KEY], attrs: { heads: 2, rate: 0.25 } },
    {
      inputs: [{ shape: [33, 34, 192], dtype: "f16" }, KEY],
      attrs: { heads: 4, rate: 0.25 },
      gradient: false,
    },
    { inputs: [{ shape: [1, 3, 774], dtype: "f16" }], attrs: { heads: 1 } },
  ],
  extremes: [
    { inputs: [{ shape: [1, 3, 9], range: [-30, 30] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 9, 18], range: [3, 3] }], attrs: { heads: 2 } },
    // Some queries have all scores near 0, others far from it, in one workgroup.
    { inputs: [{ shape: [2, 40, 18], range: [-6, 6] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 37, 96], range: [-6, 6] }, KEY], attrs: { heads: 2, rate: 0.25 } },
    // All scores below -24: none may be lost.
    { inputs: [{ shape: [1, 21, 3], range: [-11, -9] }], attrs: { heads: 1 } },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 6] }],
      attrs: { heads: 1 },
      throws: /attention: qkv must be \[batch, tokens, 3 · width\]; got qkv \[4, 6\]/,
    },
    {
      inputs: [{ shape: [1, 4, 12] }],
      attrs: { heads: 3 },
      throws:
        /attention: the last axis must split into q, k and v of 3 heads; got qkv \[1, 4, 12\]/,
    },
    {
      inputs: [{ shape: [1, 2, 0] }],
      attrs: { heads: 1 },
      throws: /attention: heads must have a width; got qkv \[1, 2, 0\]/,
    },
    {
      inputs: [{ shape: [1, 2, 6] }],
      attrs: { heads: 1, rate: 0.5 },
      throws: /attention: rate 0.5 needs a key to draw with/,
    },
    {
      inputs: [{ shape: [1, 2, 6] }, KEY],
      attrs: { heads: 1, rate: 1 },
      throws: /attention: rate must be in \[0, 1\), not 1/,
    },
    {
      inputs: [{ shape: [1, 2, 6] }, { shape: [4] }],
      attrs: { heads: 1, rate: 0.5 },
      throws: /attention: key must be 4 u32: seed and step, low words first; got key \[4\]/,
    },
    {
      inputs: [{ shape: [1, 140_000, 3] }, KEY],
      attrs: { heads: 1, rate: 0.5 },
      throws: /attention: the weights of 1 × 1 heads of 140000 tokens are more than a stream/,
    },
    {
      inputs: [{ shape: [1, 2, 6] }],
      attrs: { heads: 1, queries: 3 },
      throws: /attention: queries must be at most the 2 tokens, 0 for all; not 3/,
    },
    {
      inputs: [{ shape: [1, 2, 6] }],
      attrs: { heads: 1, queries: 0.5 },
      throws: /attention: queries must be at most the 2 tokens, 0 for all; not 0.5/,
    },
  ],
  tolerance: {
    rel: 3e-5,
    abs: 1e-6,
    why: "scores up to 300 are rounded to 2⁻²⁴ of themselves before the built-in exp (4 + 2|x| ULP)",
  },
  bench: [
    { inputs: [{ shape: [64, 50, 192] }], attrs: { heads: 4 } },
    { inputs: [{ shape: [64, 50, 192], dtype: "f16" }], attrs: { heads: 4 } },
    { inputs: [{ shape: [64, 50, 192] }], attrs: { heads: 4, queries: 1 } },
    { inputs: [{ shape: [2, 197, 2304] }], attrs: { heads: 12 } },
  ],
};

/** A sample of the gradient of so many batches, tokens, heads and columns of a head. */
function backwardSample(
  [batches, tokens, heads, headSize]: readonly [number, number, number, number],
  rate: number,
  { dtype = "f32", queries = 0 }: { dtype?: "f32" | "f16"; queries?: number } = {},
): Sample {
  const rows = queries || tokens;
  return {
    inputs: [
      { shape: [batches, rows, heads * headSize], dtype },
      { shape: [batches, tokens, 3 * heads * headSize], dtype },
      { shape: [batches, rows, heads * headSize], dtype },
      { shape: [batches, heads, rows], range: [2, 4] },
      rate > 0 ? KEY : null,
    ],
    attrs: rate > 0 ? { heads, queries, rate, stream: 7 } : { heads, queries },
  };
}

/** Oracle of attentionBackward. */
export const attentionBackwardCases: OpCases = {
  reference: (inputs, attrs) => backward64(inputs, attrs, (value) => value),
  scale: (inputs, attrs) => backward64(inputs, attrs, Math.abs),
  samples: [
    ...(
      [
        [2, 5, 2, 3],
        [1, 67, 1, 3],
        [2, 17, 2, 16],
        [1, 1, 1, 1],
        [1, 197, 2, 1],
        [1, 257, 1, 5],
        [1, 18, 1, 130],
        [33, 35, 4, 3],
        [1, 66, 1, 258],
      ] as const
    ).flatMap((sizes) => [backwardSample(sizes, 0), backwardSample(sizes, 0.3)]),
    backwardSample([1, 37, 1, 64], 0),
    backwardSample([2, 5, 2, 3], 0, { queries: 1 }),
    backwardSample([1, 67, 1, 3], 0.3, { queries: 1 }),
    backwardSample([2, 17, 2, 16], 0, { queries: 16 }),
    backwardSample([2, 17, 2, 16], 0.3, { queries: 9 }),
    backwardSample([2, 70, 1, 4], 0, { queries: 33 }),
    backwardSample([1, 66, 1, 258], 0.3, { queries: 65 }),
    backwardSample([2, 17, 2, 16], 0, { queries: 1, dtype: "f16" }),
    backwardSample([33, 34, 4, 16], 0.3, { dtype: "f16" }),
    backwardSample([2, 5, 2, 3], 0, { dtype: "f16" }),
    backwardSample([1, 67, 1, 3], 0.3, { dtype: "f16" }),
    backwardSample([2, 17, 2, 16], 0, { dtype: "f16" }),
    backwardSample([1, 66, 1, 258], 0.3, { dtype: "f16" }),
  ],
  errors: [
    {
      inputs: [
        { shape: [1, 4, 4] },
        { shape: [1, 5, 12] },
        { shape: [1, 5, 4] },
        { shape: [1, 1, 5] },
      ],
      attrs: { heads: 1 },
      throws: /attentionBackward: g and y must be \[batch, queries, width\]; got g \[1, 4, 4\]/,
    },
    {
      inputs: [
        { shape: [1, 5, 4] },
        { shape: [1, 5, 12] },
        { shape: [1, 5, 4] },
        { shape: [1, 5] },
      ],
      attrs: { heads: 1 },
      throws: /attentionBackward: lse must be \[batch, heads, queries\]; got .* lse \[1, 5\]/,
    },
    {
      inputs: [
        { shape: [1, 5, 4] },
        { shape: [1, 5, 12], dtype: "f16" },
        { shape: [1, 5, 4], dtype: "f16" },
        { shape: [1, 1, 5] },
      ],
      attrs: { heads: 1 },
      throws: /attentionBackward: g is f32, qkv f16 and y f16, not all one; use cast/,
    },
  ],
  tolerance: {
    rel: 1e-5,
    abs: 1e-30,
    why: "exp of at most 10 in size (4 + 2|x| ULP) times sums of at most 258 fused terms",
  },
  bench: [
    {
      inputs: [
        { shape: [64, 50, 64] },
        { shape: [64, 50, 192] },
        { shape: [64, 50, 64] },
        { shape: [64, 4, 50], range: [4, 6] },
      ],
      attrs: { heads: 4 },
    },
    {
      inputs: [
        { shape: [2, 197, 768] },
        { shape: [2, 197, 2304] },
        { shape: [2, 197, 768] },
        { shape: [2, 12, 197], range: [5, 6] },
      ],
      attrs: { heads: 12 },
    },
  ],
};

/** Oracle of attentionMaps. */
export const attentionMapsCases: OpCases = {
  reference([qkv], attrs) {
    if (!qkv) return [];
    const [batches = 0, tokens = 0] = qkv.shape;
    const maps = array64([batches, Number(attrs["heads"]), tokens, tokens]);
    eachRow(qkv, attrs, (of, query, weights) => {
      maps.data.set(weights, rowIndex(of, query) * of.tokens);
    });
    return [maps];
  },
  samples: [
    { inputs: [{ shape: [2, 5, 18] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 67, 9], range: [-2, 2] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 1, 9] }], attrs: { heads: 1 } },
  ],
  extremes: [{ inputs: [{ shape: [1, 3, 9], range: [-3, 3] }], attrs: { heads: 1 } }],
  errors: [
    {
      inputs: [{ shape: [1, 4, 12] }],
      attrs: { heads: 3 },
      throws: /attentionMaps: the last axis must split into q, k and v of 3 heads/,
    },
  ],
  tolerance: {
    rel: 3e-5,
    abs: 1e-30,
    why: "exp is good to (4 + 2|x|) ULP of differences up to 30; the sum has at most 67 terms",
  },
  bench: [{ inputs: [{ shape: [1, 197, 2304] }], attrs: { heads: 12 } }],
};
