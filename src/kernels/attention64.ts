/** Attention and its gradient in float64, the oracle of its ops. Never imported by the library. */
import { randomBits } from "../util/philox.ts";
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64 } from "./case.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** One head of one sample: its rows of q, k, v in qkv and its columns of y. */
interface Head {
  readonly sample: number;
  readonly head: number;
  readonly tokens: number;
  readonly queries: number;
  readonly headSize: number;
  readonly width: number;
}

/** How many of the first tokens ask. */
const queriesOf = (attrs: Attributes, tokens: number): number =>
  Number(attrs["queries"] ?? 0) || tokens;

function headsOf(qkv: Array64, attrs: Attributes): Head[] {
  const [batches = 0, tokens = 0, packed = 0] = qkv.shape;
  const heads = Number(attrs["heads"]);
  const width = packed / 3;
  return Array.from({ length: batches * heads }, (_, index) => ({
    sample: Math.floor(index / heads),
    head: index % heads,
    tokens,
    queries: queriesOf(attrs, tokens),
    headSize: width / heads,
    width,
  }));
}

/** Index in qkv of element d of the token's query (0), key (1) or value (2). */
const packedIndex = (of: Head, which: number, token: number, d: number): number =>
  ((of.sample * of.tokens + token) * 3 + which) * of.width + of.head * of.headSize + d;

/** Index in y and g. */
const widthIndex = (of: Head, token: number, d: number): number =>
  (of.sample * of.queries + token) * of.width + of.head * of.headSize + d;

/** Index in lse. */
export const rowIndex = (of: Head, token: number): number =>
  ((of.sample * of.width) / of.headSize + of.head) * of.queries + token;

/** Σ_d f(d) over a head's columns. */
function sumDims(of: Head, term: (d: number) => number): number {
  let sum = 0;
  for (let d = 0; d < of.headSize; d++) sum += term(d);
  return sum;
}

/** scale · q[query] · k[key]. */
const scoreOf = (qkv: Array64, of: Head, query: number, key: number): number =>
  sumDims(
    of,
    (d) => at(qkv.data, packedIndex(of, 0, query, d)) * at(qkv.data, packedIndex(of, 1, key, d)),
  ) / Math.sqrt(of.headSize);

/** Each row of softmax(scores) of a head, with its log-sum-exp. */
export function eachRow(
  qkv: Array64,
  attrs: Attributes,
  visit: (of: Head, query: number, weights: readonly number[], lse: number) => void,
): void {
  for (const of of headsOf(qkv, attrs))
    for (let query = 0; query < of.queries; query++) {
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

/** 1 / (1 − rate) where a query's weight stays, 0 where it is dropped; `row` as in lse. */
function factorsOf(key: Array64 | null | undefined, attrs: Attributes, of: Head, row: number) {
  const rate = Number(attrs["rate"] ?? 0);
  if (!key || rate === 0) return new Float64Array(of.tokens).fill(1);
  const [seedLow = 0, seedHigh = 0, stepLow = 0, stepHigh = 0] = key.data;
  const blocks = Math.ceil(of.tokens / 4);
  const words = Array.from({ length: blocks }, (_, block) =>
    randomBits(
      [seedLow, seedHigh, stepLow, stepHigh],
      Number(attrs["stream"] ?? 0),
      row * blocks + block,
    ),
  ).flat();
  return Float64Array.from({ length: of.tokens }, (_, token) =>
    at(words, token) >= Math.round(rate * 2 ** 32) ? 1 / (1 - rate) : 0,
  );
}

/** y and lse; f is the identity, or the absolute value for Σ|terms|. */
export function forward64(
  [qkv, key]: readonly (Array64 | null)[],
  attrs: Attributes,
  f: (value: number) => number,
): Array64[] {
  if (!qkv) return [];
  const [batches = 0, tokens = 0, packed = 0] = qkv.shape;
  const queries = queriesOf(attrs, tokens);
  const y = array64([batches, queries, packed / 3]);
  const rows = array64([batches, Number(attrs["heads"]), queries]);
  eachRow(qkv, attrs, (of, query, weights, lse) => {
    rows.data[rowIndex(of, query)] = f(lse) + (f(-1) > 0 ? 1 : 0); // the sum of exps is at least 1
    const factors = factorsOf(key, attrs, of, rowIndex(of, query));
    const left = weights.map((weight, token) => weight * at(factors, token));
    for (let d = 0; d < of.headSize; d++)
      y.data[widthIndex(of, query, d)] = left.reduce(
        (sum, weight, token) => sum + weight * f(at(qkv.data, packedIndex(of, 2, token, d))),
        0,
      );
  });
  return [y, rows];
}

/** Adds one query-key pair's terms to dqkv; f as in {@link forward64}. */
function addPair(
  [dqkv, g, qkv]: readonly [Array64, Array64, Array64],
  of: Head,
  [query, key]: readonly [number, number],
  { left, dscore, f }: { left: number; dscore: number; f: (value: number) => number },
): void {
  const scale = 1 / Math.sqrt(of.headSize);
  for (let d = 0; d < of.headSize; d++) {
    const [q, k, v] = [query, key, key].map((token, which) => packedIndex(of, which, token, d));
    if (q === undefined || k === undefined || v === undefined) continue;
    dqkv.data[q] = at(dqkv.data, q) + scale * dscore * f(at(qkv.data, k));
    dqkv.data[k] = at(dqkv.data, k) + scale * dscore * f(at(qkv.data, q));
    dqkv.data[v] = at(dqkv.data, v) + left * f(at(g.data, widthIndex(of, query, d)));
  }
}

/** dqkv from g, qkv, y and lse, which need not belong together; f as in {@link forward64}. */
export function backward64(
  [g, qkv, y, lse, random]: readonly (Array64 | null)[],
  attrs: Attributes,
  f: (value: number) => number,
): Array64[] {
  if (!g || !qkv || !y || !lse) return [];
  const dqkv = array64(qkv.shape);
  for (const of of headsOf(qkv, attrs))
    for (let query = 0; query < of.queries; query++) {
      const gAt = (d: number) => at(g.data, widthIndex(of, query, d));
      const delta = sumDims(of, (d) => f(gAt(d) * at(y.data, widthIndex(of, query, d))));
      const factors = factorsOf(random, attrs, of, rowIndex(of, query));
      for (let key = 0; key < of.tokens; key++) {
        const p = Math.exp(scoreOf(qkv, of, query, key) - at(lse.data, rowIndex(of, query)));
        const left = p * at(factors, key);
        const slope = sumDims(of, (d) => f(gAt(d) * at(qkv.data, packedIndex(of, 2, key, d))));
        const dscore = left * slope + (f(-1) > 0 ? p * delta : -p * delta);
        addPair([dqkv, g, qkv], of, [query, key], { left, dscore, f });
      }
    }
  return [dqkv];
}
