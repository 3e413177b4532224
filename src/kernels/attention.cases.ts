/** Oracles of attention, its gradient and its maps. Never imported by the library. */
import { at } from "../util/shape.ts";
import {
  eachRow,
  headsOf,
  packedIndex,
  rowIndex,
  scoreOf,
  sumDims,
  widthIndex,
} from "./attention64.ts";
import type { Head } from "./attention64.ts";
import { array64 } from "./case.ts";
import type { Array64, OpCases } from "./case.ts";

/** y and lse; f is the identity, or the absolute value for Σ|terms|. */
function forward64(
  qkv: Array64 | null | undefined,
  attrs: Readonly<Record<string, unknown>>,
  f: (value: number) => number,
): Array64[] {
  if (!qkv) return [];
  const [batches = 0, tokens = 0, packed = 0] = qkv.shape;
  const y = array64([batches, tokens, packed / 3]);
  const rows = array64([batches, Number(attrs["heads"]), tokens]);
  eachRow(qkv, attrs, (of, query, weights, lse) => {
    rows.data[rowIndex(of, query)] = f(lse) + (f(-1) > 0 ? 1 : 0); // the sum of exps is at least 1
    for (let d = 0; d < of.headSize; d++)
      y.data[widthIndex(of, query, d)] = weights.reduce(
        (sum, weight, key) => sum + weight * f(at(qkv.data, packedIndex(of, 2, key, d))),
        0,
      );
  });
  return [y, rows];
}

/** Oracle of attention. */
export const attentionCases: OpCases = {
  reference: ([qkv], attrs) => forward64(qkv, attrs, (value) => value),
  scale: ([qkv], attrs) => forward64(qkv, attrs, Math.abs),
  // Two head sizes, since each has kernels of its own: 3 (no multiple of anything) and 16.
  samples: [
    { inputs: [{ shape: [2, 5, 18] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 1, 9] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 67, 9], range: [-2, 2] }], attrs: { heads: 1 } }, // two tiles of keys
    { inputs: [{ shape: [2, 17, 96], range: [-2, 2] }], attrs: { heads: 2 } },
    { inputs: [{ shape: [2, 5, 18], dtype: "f16" }], attrs: { heads: 2 } },
    { inputs: [{ shape: [1, 67, 9], dtype: "f16", range: [-2, 2] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [2, 17, 96], dtype: "f16", range: [-2, 2] }], attrs: { heads: 2 } },
  ],
  extremes: [
    { inputs: [{ shape: [1, 3, 9], range: [-30, 30] }], attrs: { heads: 1 } },
    { inputs: [{ shape: [1, 9, 18], range: [3, 3] }], attrs: { heads: 2 } },
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
      inputs: [{ shape: [1, 2, 387] }],
      attrs: { heads: 1 },
      throws: /attention: heads of 129 are not 1 to 128 wide/,
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
    { inputs: [{ shape: [2, 197, 2304] }], attrs: { heads: 12 } },
  ],
};

/** Adds one query-key pair's terms to dqkv; f as in {@link forward64}. */
function addPair(
  [dqkv, g, qkv]: readonly [Array64, Array64, Array64],
  of: Head,
  [query, key]: readonly [number, number],
  { p, dscore, f }: { p: number; dscore: number; f: (value: number) => number },
): void {
  const scale = 1 / Math.sqrt(of.headSize);
  for (let d = 0; d < of.headSize; d++) {
    const [q, k, v] = [query, key, key].map((token, which) => packedIndex(of, which, token, d));
    if (q === undefined || k === undefined || v === undefined) continue;
    dqkv.data[q] = at(dqkv.data, q) + scale * dscore * f(at(qkv.data, k));
    dqkv.data[k] = at(dqkv.data, k) + scale * dscore * f(at(qkv.data, q));
    dqkv.data[v] = at(dqkv.data, v) + p * f(at(g.data, widthIndex(of, query, d)));
  }
}

/** dqkv from g, qkv, y and lse, which need not belong together; f as in {@link forward64}. */
function backward64(
  [g, qkv, y, lse]: readonly (Array64 | null)[],
  attrs: Readonly<Record<string, unknown>>,
  f: (value: number) => number,
): Array64[] {
  if (!g || !qkv || !y || !lse) return [];
  const dqkv = array64(qkv.shape);
  for (const of of headsOf(qkv, attrs))
    for (let query = 0; query < of.tokens; query++) {
      const gAt = (d: number) => at(g.data, widthIndex(of, query, d));
      const delta = sumDims(of, (d) => f(gAt(d) * at(y.data, widthIndex(of, query, d))));
      for (let key = 0; key < of.tokens; key++) {
        const p = Math.exp(scoreOf(qkv, of, query, key) - at(lse.data, rowIndex(of, query)));
        const slope = sumDims(of, (d) => f(gAt(d) * at(qkv.data, packedIndex(of, 2, key, d))));
        const dscore = p * (f(-1) > 0 ? slope + delta : slope - delta);
        addPair([dqkv, g, qkv], of, [query, key], { p, dscore, f });
      }
    }
  return [dqkv];
}

/** Oracle of attentionBackward. */
export const attentionBackwardCases: OpCases = {
  reference: (inputs, attrs) => backward64(inputs, attrs, (value) => value),
  scale: (inputs, attrs) => backward64(inputs, attrs, Math.abs),
  samples: (["f32", "f16"] as const).flatMap((dtype) =>
    (
      [
        [2, 5, 2, 3],
        [1, 67, 1, 3],
        [2, 17, 2, 16],
      ] as const
    ).map(([batches, tokens, heads, headSize]) => ({
      inputs: [
        { shape: [batches, tokens, heads * headSize], dtype },
        { shape: [batches, tokens, 3 * heads * headSize], dtype },
        { shape: [batches, tokens, heads * headSize], dtype },
        { shape: [batches, heads, tokens], range: [2, 4] as const },
      ],
      attrs: { heads },
    })),
  ),
  errors: [
    {
      inputs: [
        { shape: [1, 4, 4] },
        { shape: [1, 5, 12] },
        { shape: [1, 5, 4] },
        { shape: [1, 1, 5] },
      ],
      attrs: { heads: 1 },
      throws: /attentionBackward: g and y must be \[batch, tokens, width\]; got g \[1, 4, 4\]/,
    },
    {
      inputs: [
        { shape: [1, 5, 4] },
        { shape: [1, 5, 12] },
        { shape: [1, 5, 4] },
        { shape: [1, 5] },
      ],
      attrs: { heads: 1 },
      throws: /attentionBackward: lse must be \[batch, heads, tokens\]; got .* lse \[1, 5\]/,
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
    why: "exp of at most 10 in size (4 + 2|x| ULP) times sums of at most 67 fused terms",
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
