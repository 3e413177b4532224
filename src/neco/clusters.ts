/** K-means without chance: seeds by squared distances at fixed fractions, then Lloyd's turns. */
import type { Engine } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { RowChunks, someRows } from "./rowChunks.ts";
import type { Rows } from "./rowChunks.ts";

const MAX_TURNS = 100;
const CHUNK_ROWS = 4096;

/** 1/φ: its multiples fill [0, 1) evenly, however many are taken. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Lowers each row's squared distance to the nearest seed to that of a new seed; true if any is left. */
function lower({ values, dim }: Rows, nearest: Float64Array, seed: number): boolean {
  let isLeft = false;
  for (let row = 0; row < nearest.length; row++) {
    let total = 0;
    for (let j = 0; j < dim; j++)
      total += ((values[row * dim + j] ?? 0) - (values[seed * dim + j] ?? 0)) ** 2;
    const least = Math.min(nearest[row] ?? 0, total);
    nearest[row] = least;
    isLeft ||= least > 0;
  }
  return isLeft;
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
    if (!lower(rows, nearest, last)) break;
    seeds.push(indexAtShare(nearest, (turn * GOLDEN) % 1));
  }
  return seeds;
}

/** −½‖c_k − c_l‖² of centres [K, D], in float64 until the end: [K, K]. */
function halfGaps(centres: Float32Array, dim: number): Float32Array {
  const count = centres.length / dim;
  return Float32Array.from({ length: count * count }, (_, index) => {
    const [k, l] = [Math.floor(index / count) * dim, (index % count) * dim];
    let total = 0;
    for (let j = 0; j < dim; j++) total += ((centres[k + j] ?? 0) - (centres[l + j] ?? 0)) ** 2;
    return -total / 2;
  });
}

/**
 * The nearest centre of each row. With e = x − c_own, `own` being the label before, that is
 * argmax ⟨e, c⟩ − ½‖c − c_own‖²: squares expanded around a near centre round as little as e is small,
 * where ⟨x, c⟩ − ½‖c‖² would lose clusters that are tight and lie far out.
 */
async function assign(
  engine: Engine,
  chunks: RowChunks,
  centres: Float32Array,
  before: Int32Array,
): Promise<Int32Array> {
  const { ops } = engine;
  const { dim, count } = chunks.rows;
  const classes = centres.length / dim;
  const labels = new Int32Array(count);
  await engine.scope(async () => {
    const c = engine.tensor(centres, [classes, dim]); // [K, D]
    const gaps = engine.tensor(halfGaps(centres, dim), [classes, classes]);
    await chunks.each(
      (x, start, end) => {
        const own = engine.tensor(before.slice(start, end)); // [B]
        const e = ops.sub(x, ops.gather(c, own)); // [B, D]
        const along = ops.matmul(e, c, null, { transposeB: true }); // [B, K]
        return [ops.argmax(ops.add(along, ops.gather(gaps, own)))];
      },
      ([own = new Float32Array()], start) => {
        labels.set(own, start);
      },
    );
  });
  return labels;
}

/** Means of the rows of each cluster; an empty one keeps its centre. */
function meansOf({ values, dim }: Rows, labels: Int32Array, before: Float32Array): Float32Array {
  const sums = new Float64Array(before.length);
  const counts = new Float64Array(before.length / dim);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] ?? 0;
    const [from, to] = [row * dim, label * dim];
    counts[label] = (counts[label] ?? 0) + 1;
    for (let j = 0; j < dim; j++) sums[to + j] = (sums[to + j] ?? 0) + (values[from + j] ?? 0);
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
  const chunks = new RowChunks(engine, rows, CHUNK_ROWS);
  try {
    // The first look, from one centre for all rows, finds the neighbourhood; the second looks from there.
    let labels = await assign(engine, chunks, centres, new Int32Array(rows.count));
    labels = await assign(engine, chunks, centres, labels);
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      centres = meansOf(rows, labels, centres);
      const next = await assign(engine, chunks, centres, labels);
      const isSettled = next.every((label, row) => label === labels[row]);
      if (isSettled) break;
      labels = next;
    }
    return { labels, centres };
  } finally {
    chunks.dispose();
  }
}
