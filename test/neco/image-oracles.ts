/** Scores that look into the network, in float64 and by the formulas: no shared passes, no shortcuts. */
import { at } from "../../src/util/shape.ts";
import { config, transform } from "./images.ts";
import type { ImageSet } from "./images.ts";
import { argmax64, logSumExp64, slopes64, softmax64 } from "./vit64.ts";
import type { Rows, Vit64 } from "./vit64.ts";

type Vector = readonly number[];

const sum = (values: Vector): number => values.reduce((a, b) => a + b, 0);

/** Tokens leaving every block. */
function tokensOf(oracle: Vit64, x: Vector): Rows[] {
  const layers: Rows[] = [];
  oracle.forward(x, (tokens) => {
    layers.push(tokens);
    return tokens;
  });
  return layers;
}

/** Row sums of (Fᵖ)(Fᵖ)ᵀ, channels × channels, and their signed p-th roots. */
function gramRows(tokens: Rows, p: number): number[] {
  const powers = tokens.map((row) => row.map((value) => value ** p));
  return Array.from({ length: config.dim }, (_, d) => {
    let total = 0;
    for (let j = 0; j < config.dim; j++) for (const row of powers) total += at(row, d) * at(row, j);
    return Math.sign(total) * Math.abs(total) ** (1 / p);
  });
}

/** −Σ_l δ_l/E[δ_l] of every image of `id`. */
export function gram64(
  oracle: Vit64,
  { train, validation, id }: Record<"train" | "validation" | "id", ImageSet>,
  powers: number,
): number[] {
  const rowsOf = (x: Vector): number[][] =>
    tokensOf(oracle, x).map((tokens) =>
      Array.from({ length: powers }, (_, k) => gramRows(tokens, k + 1)).flat(),
    );
  const known = train.xs.map(rowsOf); // [N][L][P · D]
  const predicted = train.logits.map(argmax64);
  const deviations = ({ xs, logits }: ImageSet): number[][] =>
    xs.map((x, k) => {
      const z = at(logits, k);
      const label = argmax64(z);
      const isSeen = predicted.includes(label);
      const peers = known.filter((_, n) => !isSeen || at(predicted, n) === label);
      return rowsOf(x).map((rows, layer) => {
        const beyond = rows.map((value, place) => {
          const own = peers.map((peer) => at(at(peer, layer), place));
          const [low, high] = [Math.min(...own), Math.max(...own)];
          return (
            Math.max(0, low - value) / (Math.abs(low) + 1e-6) +
            Math.max(0, value - high) / (Math.abs(high) + 1e-6)
          );
        });
        return sum(beyond) / Math.max(...softmax64(z));
      });
    });
  const usual = deviations(validation);
  const means = Array.from(
    { length: config.depth },
    (_, layer) => sum(usual.map((row) => at(row, layer))) / usual.length + 1e-7,
  );
  return deviations(id).map((row) => -sum(row.map((value, layer) => value / at(means, layer))));
}

/** X − σ₁u₁v₁ᵀ by very many power iterations. */
function withoutTop64(tokens: Rows): Rows {
  let v = tokens[0]!.map((_, d) => 1 + d / 10);
  let u: number[] = [];
  for (let iteration = 0; iteration < 3000; iteration++) {
    u = tokens.map((row) => sum(row.map((value, d) => value * at(v, d))));
    const length = Math.hypot(...u);
    u = u.map((value) => value / length);
    v = v.map((_, d) => sum(tokens.map((row, t) => at(row, d) * at(u, t))));
  }
  return tokens.map((row, t) => row.map((value, d) => value - at(u, t) * at(v, d)));
}

/** Energy of the mean of the logits without the top component behind the last block, or the one before. */
export function rankfeat64(oracle: Vit64, x: Vector, temperature: number): number {
  const behind = (target: number): Vector =>
    oracle.forward(x, (rows, layer) => (layer === target ? withoutTop64(rows) : rows)).logits;
  const [last, before] = [behind(config.depth - 1), behind(config.depth - 2)];
  const mean = last.map((z, c) => (z + at(before, c)) / 2 / temperature);
  return temperature * logSumExp64(mean);
}

/** Parameters of AdaScale. */
export interface Adascale64 {
  readonly low: number;
  readonly high: number;
  readonly k1: number;
  readonly k2: number;
  readonly lambda: number;
  readonly share: number;
}

/** Indices of the largest, at least one. */
const top = (values: Vector, percent: number): number[] =>
  values
    .map((_, index) => index)
    .sort((a, b) => at(values, b) - at(values, a))
    .slice(0, Math.max(1, Math.floor((values.length * percent) / 100)));

function movement64(oracle: Vit64, x: Vector, { k1, k2, lambda, share }: Adascale64): number {
  const { features, logits } = oracle.forward(x);
  const label = argmax64(logits);
  const slopes = slopes64(x, (y) => at(oracle.forward(y).logits, label));
  const flat = slopes
    .map((_, index) => index)
    .sort((a, b) => Math.abs(at(slopes, a)) - Math.abs(at(slopes, b)))
    .slice(0, Math.floor(x.length * share));
  const moved = x.map((v, k) => (flat.includes(k) ? v + 0.5 * Math.sign(at(slopes, k)) : v));
  const after = oracle.forward(moved).features;
  const left = sum(top(features, k1).map((d) => Math.max(0, at(after, d))));
  const change = sum(top(features, k2).map((d) => Math.abs(at(features, d) - at(after, d))));
  return left + lambda * change;
}

/** Both forms of AdaScale for every image of `id`. */
export function adascale64(
  oracle: Vit64,
  { validation, id }: Record<"validation" | "id", ImageSet>,
  params: Adascale64,
): { readonly a: number[]; readonly l: number[] } {
  const known = validation.xs.map((x) => movement64(oracle, x, params));
  const both = id.xs.map((x, k) => {
    const h = at(id.features, k);
    const own = movement64(oracle, x, params);
    const share = known.filter((value) => value <= own).length / known.length;
    const percentile = params.low + (1 - share) * (params.high - params.low);
    const positive = h.map((value) => Math.max(0, value)).sort((a, b) => b - a);
    const exact = (config.dim * percentile) / 100;
    const half = Math.floor(exact) + 0.5;
    const pruned = exact === half ? 2 * Math.round(exact / 2) : Math.round(exact); // half to even
    const r = sum(positive) / sum(positive.slice(0, Math.max(1, config.dim - pruned)));
    const z = at(id.logits, k);
    return {
      a: oracleHead(
        oracle,
        h.map((value) => value * Math.exp(Math.min(r, 20))),
      ),
      l: z.map((value) => value * r * r),
    };
  });
  return { a: both.map(({ a }) => logSumExp64(a)), l: both.map(({ l }) => logSumExp64(l)) };
}

/** W h + b. */
export const oracleHead = (oracle: Vit64, h: Vector): number[] => oracle.linear(h, "head");

/** Σ⁺ of a symmetric matrix by cyclic Jacobi: eigenvalues at or below rcond · λmax are cut. */
function pseudoInverse64(matrix: Rows, rcond: number): Rows {
  const size = matrix.length;
  const a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  const turn = (rows: Rows, p: number, q: number, c: number, s: number): void => {
    for (const row of rows) {
      const [x, y] = [at(row, p), at(row, q)];
      row[p] = c * x - s * y;
      row[q] = s * x + c * y;
    }
  };
  for (let sweep = 0; sweep < 60; sweep++)
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        const angle = 0.5 * Math.atan2(2 * a[p]![q]!, a[q]![q]! - a[p]![p]!);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        turn(a, p, q, c, s);
        for (let j = 0; j < size; j++) {
          const [x, y] = [a[p]![j]!, a[q]![j]!];
          a[p]![j] = c * x - s * y;
          a[q]![j] = s * x + c * y;
        }
        turn(vectors, p, q, c, s);
      }
  const values = a.map((row, k) => at(row, k));
  const cut = rcond * Math.max(...values);
  return matrix.map((_, i) =>
    matrix.map((__, j) =>
      sum(
        values.map((value, k) => (value > cut ? (vectors[i]![k]! * vectors[j]![k]!) / value : 0)),
      ),
    ),
  );
}

/** Mean tokens of all blocks but the last, then h. */
function layers64(oracle: Vit64, x: Vector): number[][] {
  const pooled = tokensOf(oracle, x)
    .slice(0, -1)
    .map((tokens) =>
      tokens[0]!.map((_, d) => sum(tokens.map((row) => at(row, d))) / tokens.length),
    );
  return [...pooled, oracle.forward(x).features];
}

/** −Σ over layers of the distance after a step against its slopes. */
export function mdsEnsemble64(
  oracle: Vit64,
  { train, id }: Record<"train" | "id", ImageSet>,
  noise: number,
): number[] {
  const rows = train.xs.map((x) => layers64(oracle, x)); // [N][L][D]
  const labels = Array.from(train.labels);
  const fits = Array.from({ length: config.depth }, (_, layer) => {
    const own = rows.map((row) => at(row, layer));
    const means = new Map(
      [...new Set(labels)].map((label) => {
        const members = own.filter((__, n) => at(labels, n) === label);
        return [label, own[0]!.map((__, d) => sum(members.map((h) => at(h, d))) / members.length)];
      }),
    );
    const offsets = own.map((h, n) => h.map((value, d) => value - means.get(at(labels, n))![d]!));
    const covariance = own[0]!.map((_, i) =>
      own[0]!.map((__, j) => sum(offsets.map((row) => at(row, i) * at(row, j))) / own.length),
    );
    return { means: [...means.values()], inverse: pseudoInverse64(covariance, 1e-6) };
  });
  const distance = (x: Vector, layer: number): number => {
    const { means, inverse } = at(fits, layer);
    const h = at(layers64(oracle, x), layer);
    return Math.min(
      ...means.map((mean) => {
        const offset = h.map((value, d) => value - at(mean, d));
        return sum(
          inverse.map((row, i) => at(offset, i) * sum(row.map((v, j) => v * at(offset, j)))),
        );
      }),
    );
  };
  return id.xs.map(
    (x) =>
      -sum(
        fits.map((_, layer) => {
          const slopes = slopes64(x, (y) => distance(y, layer));
          const { std, channels } = transform;
          const moved = x.map(
            (value, k) => value - (noise * (at(slopes, k) >= 0 ? 1 : -1)) / at(std, k % channels),
          );
          return distance(moved, layer);
        }),
      ),
  );
}
