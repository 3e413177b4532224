/** K-means without chance: seeds by squared distances at fixed fractions, then Lloyd's turns. */
import type { Engine } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { readLogitStats } from "./logits.ts";

const MAX_TURNS = 100;
const CHUNK_ROWS = 4096;

/** 1/φ: its multiples fill [0, 1) evenly, however many are taken. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Rows on the host. */
export interface Rows {
  readonly values: Float32Array; // [N, D]
  readonly count: number;
  readonly dim: number;
}

/** Rows start … end − 1. */
export const someRows = ({ values, dim }: Rows, start: number, end: number): Float32Array =>
  values.subarray(start * dim, end * dim);

function squaredGap({ values, dim }: Rows, a: number, b: number): number {
  let total = 0;
  for (let j = 0; j < dim; j++) total += (at(values, a * dim + j) - at(values, b * dim + j)) ** 2;
  return total;
}

/** First index at which the running sum passes a share of the total. */
function indexAtShare(weights: Float64Array, share: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let running = 0;
  const found = weights.findIndex((weight) => (running += weight) > share * total);
  return found < 0 ? weights.length - 1 : found;
}

/**
 * Rows to begin with, as k-means++ takes them (Arthur and Vassilvitskii, 2007), the k-th at the share
 * k/φ mod 1 of the running sum of squared distances in place of a random one. The first is the middle
 * row. Fewer than wanted where all rows coincide with a seed.
 */
export function seedRows(rows: Rows, wanted: number): number[] {
  const seeds = [Math.floor(rows.count / 2)];
  const nearest = new Float64Array(rows.count).fill(Infinity);
  for (let turn = 1; turn < wanted; turn++) {
    const last = at(seeds, turn - 1);
    for (const [row, known] of nearest.entries())
      nearest[row] = Math.min(known, squaredGap(rows, row, last));
    if (nearest.every((square) => square === 0)) break;
    seeds.push(indexAtShare(nearest, (turn * GOLDEN) % 1));
  }
  return seeds;
}

/** The nearest centre of each row: argmax ⟨x, c⟩ − ½‖c‖². */
async function assign(engine: Engine, rows: Rows, centres: Float32Array): Promise<Int32Array> {
  const { ops } = engine;
  const { dim, count } = rows;
  const labels = new Int32Array(count);
  for (let start = 0; start < count; start += CHUNK_ROWS) {
    const end = Math.min(count, start + CHUNK_ROWS);
    await engine.scope(async () => {
      const c = engine.tensor(centres, [centres.length / dim, dim]); // [K, D]
      const offset = ops.affine(ops.sum(ops.square(c), { axes: [1] }), { scale: -0.5 });
      const x = engine.tensor(someRows(rows, start, end), [end - start, dim]);
      const likeness = ops.matmul(x, c, offset, { transposeB: true }); // [B, K]
      labels.set((await readLogitStats(engine, likeness)).predicted, start);
    });
  }
  return labels;
}

/** Means of the rows of each cluster; an empty one keeps its centre. */
function meansOf(rows: Rows, labels: Int32Array, before: Float32Array): Float32Array {
  const { values, dim } = rows;
  const sums = new Float64Array(before.length);
  const counts = new Float64Array(before.length / dim);
  for (const [row, label] of labels.entries()) {
    counts[label] = at(counts, label) + 1;
    for (let j = 0; j < dim; j++)
      sums[label * dim + j] = at(sums, label * dim + j) + at(values, row * dim + j);
  }
  return before.map((centre, index) => {
    const count = at(counts, Math.floor(index / dim));
    return count > 0 ? at(sums, index) / count : centre;
  });
}

/** Clusters of rows. */
export interface Clusters {
  readonly labels: Int32Array; // [N]
  readonly centres: Float32Array; // [K, D]
}

/** K-means: turns until no row changes its cluster, 100 at most. */
export async function kMeans(engine: Engine, rows: Rows, wanted: number): Promise<Clusters> {
  const seeds = seedRows(rows, wanted);
  let centres: Float32Array = new Float32Array(seeds.length * rows.dim);
  for (const [k, row] of seeds.entries()) centres.set(someRows(rows, row, row + 1), k * rows.dim);
  let labels = await assign(engine, rows, centres);
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    centres = meansOf(rows, labels, centres);
    const next = await assign(engine, rows, centres);
    const isSettled = next.every((label, row) => label === labels[row]);
    if (isSettled) break;
    labels = next;
  }
  return { labels, centres };
}
