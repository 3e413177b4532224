/** Sums over the rows of a block on the GPU: in chunks, added as a tree, so that rounding stays small. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";

/** Rows of one f32 product: more would let its rounding grow. */
export const CHUNK_ROWS = 256;

/** Rows whose products are added on the GPU before the host adds them in float64. */
export const BLOCK_ROWS = 4096;

/** Of chunks' products made by one dispatch: fewer dispatches on GPUs, while processors' caches want one at a time. */
const BATCH_BYTES = { cpu: 0, gpu: 64 * 1024 ** 2 };

/** Sums over the rows of a block: Σ (x − s) and Σ (x − s)(x − s)ᵀ. */
export interface Sums {
  readonly first: Tensor; // [D]
  readonly second: Tensor; // [D, D]
}

/**
 * Sums over all rows of a block [B, D] around a shift hi + lo: batches of chunks, added like a binary
 * counter, where two of equal length become one of twice that.
 */
export function shiftedSums(
  engine: Engine,
  block: Tensor,
  [hi, lo]: readonly [Float32Array, Float32Array],
): Sums {
  const [rows, dim] = [at(block.shape, 0), at(block.shape, 1)];
  const rough = engine.ops.sub(block, engine.tensor(hi));
  const shifted = engine.ops.sub(rough, engine.tensor(lo));
  rough.dispose();
  const pending: (Sums & { readonly chunks: number })[] = [];
  for (let start = 0; start < rows;) {
    const chunks = batchOf(engine, rows - start, dim);
    const size = Math.min(chunks * CHUNK_ROWS, rows - start);
    let made = { ...chunkSums(engine, rowsOf(engine, shifted, start, size), chunks), chunks };
    start += size;
    for (let top = pending.at(-1); top?.chunks === made.chunks; top = pending.at(-1)) {
      pending.pop();
      made = { ...addSums(engine, top, made), chunks: 2 * made.chunks };
    }
    pending.push(made);
  }
  return (
    pending.reduceRight<Sums | null>(
      (sum, part) => (sum ? addSums(engine, part, sum) : part),
      null,
    ) ?? chunkSums(engine, shifted, 1)
  );
}

/** How many chunks the next batch takes: a power of two that memory allows; 1 for a part of a chunk. */
function batchOf(engine: Engine, rows: number, dim: number): number {
  const most = BATCH_BYTES[engine.caps.adapterClass] / (4 * dim ** 2);
  let chunks = BLOCK_ROWS / CHUNK_ROWS;
  while (chunks > 1 && (chunks > most || chunks * CHUNK_ROWS > rows)) chunks /= 2;
  return chunks;
}

/** Rows `start`… of a block as a view; `start` is a multiple of 256, hence aligned. */
export const rowsOf = (engine: Engine, block: Tensor, start: number, rows: number): Tensor =>
  engine.view(block, [rows, at(block.shape, 1)], start * at(block.shape, 1) * 4);

/** The sums over rows x [B, D] that are as many whole chunks, or part of one. */
function chunkSums(engine: Engine, x: Tensor, chunks: number): Sums {
  const { ops } = engine;
  if (chunks === 1)
    return {
      first: ops.sum(x, { axes: [0] }),
      second: ops.matmul(x, x, null, { transposeA: true }),
    };
  const batch = ops.reshape(x, { shape: [chunks, CHUNK_ROWS, at(x.shape, 1)] });
  return {
    first: addPairs(engine, ops.sum(batch, { axes: [1] })),
    second: addPairs(engine, ops.matmul(batch, batch, null, { transposeA: true })),
  };
}

/** Σ over the first axis of parts [2ᵏ, …], which go: in pairs, so that rounding grows with k alone. */
function addPairs(engine: Engine, parts: Tensor): Tensor {
  const [count = 0, ...shape] = parts.shape;
  if (count === 1) return engine.ops.reshape(parts, { shape });
  const pairs = engine.ops.reshape(parts, { shape: [count / 2, 2, ...shape] });
  const sums = engine.ops.sum(pairs, { axes: [1] });
  for (const tensor of [parts, pairs]) tensor.dispose();
  return addPairs(engine, sums);
}

function addSums(engine: Engine, a: Sums, b: Sums): Sums {
  const sums = {
    first: engine.ops.add(a.first, b.first),
    second: engine.ops.add(a.second, b.second),
  };
  for (const tensor of [a.first, a.second, b.first, b.second]) tensor.dispose();
  return sums;
}
