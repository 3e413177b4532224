/** Heads, scores and their softmax in float64, for the oracles of attention. Never imported by the library. */
import { at } from "../util/shape.ts";
import type { Array64 } from "./case.ts";

/** One head of one sample: its rows of q, k, v in qkv and its columns of y. */
export interface Head {
  readonly sample: number;
  readonly head: number;
  readonly tokens: number;
  readonly headSize: number;
  readonly width: number;
}

export function headsOf(qkv: Array64, attrs: Readonly<Record<string, unknown>>): Head[] {
  const [batches = 0, tokens = 0, packed = 0] = qkv.shape;
  const heads = Number(attrs["heads"]);
  const width = packed / 3;
  return Array.from({ length: batches * heads }, (_, index) => ({
    sample: Math.floor(index / heads),
    head: index % heads,
    tokens,
    headSize: width / heads,
    width,
  }));
}

/** Index in qkv of element d of the token's query (0), key (1) or value (2). */
export const packedIndex = (of: Head, which: number, token: number, d: number): number =>
  ((of.sample * of.tokens + token) * 3 + which) * of.width + of.head * of.headSize + d;

/** Index of element d of the token in y and g. */
export const widthIndex = (of: Head, token: number, d: number): number =>
  (of.sample * of.tokens + token) * of.width + of.head * of.headSize + d;

/** Index of the token in lse. */
export const rowIndex = (of: Head, token: number): number =>
  ((of.sample * of.width) / of.headSize + of.head) * of.tokens + token;

/** Σ_d f(d) over a head's columns. */
export function sumDims(of: Head, term: (d: number) => number): number {
  let sum = 0;
  for (let d = 0; d < of.headSize; d++) sum += term(d);
  return sum;
}

/** scale · q[query] · k[key]. */
export const scoreOf = (qkv: Array64, of: Head, query: number, key: number): number =>
  sumDims(
    of,
    (d) => at(qkv.data, packedIndex(of, 0, query, d)) * at(qkv.data, packedIndex(of, 1, key, d)),
  ) / Math.sqrt(of.headSize);

/** Each row of softmax(scores) of a head, with its log-sum-exp. */
export function eachRow(
  qkv: Array64,
  attrs: Readonly<Record<string, unknown>>,
  visit: (of: Head, query: number, weights: readonly number[], lse: number) => void,
): void {
  for (const of of headsOf(qkv, attrs))
    for (let query = 0; query < of.tokens; query++) {
      const scores = Array.from({ length: of.tokens }, (_, key) => scoreOf(qkv, of, query, key));
      const largest = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
      const lse = largest + Math.log(total);
      visit(
        of,
        query,
        scores.map((score) => Math.exp(score - lse)),
        lse,
      );
    }
}
