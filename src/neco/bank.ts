/** Training samples that others are compared with: kept once for all scores, streamed through the GPU in chunks. */
import { numberTensor } from "./numberTensor.ts";
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import type { Block } from "./block.ts";
import type { TrainStatistics } from "./moments.ts";
import { sharedCalibration } from "./score.ts";
import type { Calibration, FitContext, NamedArray } from "./score.ts";

const MAX_CHUNK_BYTES = 8 * 1024 ** 2; // of likenesses of a block to a chunk

const CHUNKS_AHEAD = 2; // queued while the GPU works
const TILE = 64; // columns that kernels take at once; odd numbers of columns are slower by half

/** h/‖h‖ row by row; rows of zeros stay zero. */
export function normalised(engine: Engine, x: Tensor): Tensor {
  const { ops } = engine;
  const squares = ops.sum(ops.square(x), { axes: [1], keepDims: true });
  const isZero = ops.equal(squares, numberTensor(engine, 0));
  return ops.mul(x, ops.rsqrt(ops.add(squares, isZero)));
}

/** What a bank keeps of a block: [B, W]. */
export type BankRows = (block: Block) => Tensor;

/** Collects rows of the training set, at most `limit` of them, into an array of the state. */
function collect(
  { train }: FitContext,
  { rowsOf, limit }: { readonly rowsOf: BankRows; readonly limit: number },
): Calibration {
  let values = new Float32Array();
  let width = 0;
  let filled = 0;
  const count = Math.min(limit, train.count);
  return {
    async observe(block) {
      if (filled === count) return;
      const rows = rowsOf(block);
      if (width === 0) {
        width = at(rows.shape, 1);
        values = new Float32Array(count * width);
      }
      const kept = Math.min(block.rows, count - filled);
      values.set((await rows.floats()).subarray(0, kept * width), filled * width);
      filled += kept;
    },
    finish: () =>
      Promise.resolve({
        arrays: { bank: { shape: [count, width], values } },
        params: {},
        warnings: [],
      }),
  };
}

const shared = new WeakMap<TrainStatistics, Map<string, Calibration>>();

/**
 * A bank of all training rows; scores that ask under one key share it.
 * @param key - says what `rowsOf` makes.
 */
export function wholeBank(context: FitContext, key: string, rowsOf: BankRows): Calibration {
  const known = shared.get(context.train) ?? new Map<string, Calibration>();
  shared.set(context.train, known);
  const bank = known.get(key) ?? sharedCalibration(collect(context, { rowsOf, limit: Infinity }));
  known.set(key, bank);
  return bank;
}

/** A bank of the first training rows. */
export const firstRows = (context: FitContext, limit: number, rowsOf: BankRows): Calibration =>
  collect(context, { rowsOf, limit });

/** Rows of a bank that are compared with a block of `rows` at once: whole tiles of a product. */
const chunkRows = (rows: number): number =>
  Math.max(1, Math.floor(MAX_CHUNK_BYTES / (4 * rows * TILE))) * TILE;

/**
 * Visits a bank chunk by chunk, so that the GPU holds one at a time; tensors made by `visit` are
 * freed after it, but for those it returns.
 */
export async function eachChunk<T>(
  engine: Engine,
  banks: readonly NamedArray[],
  rows: number,
  visit: (chunks: readonly Tensor[], before: T | null, start: number) => T | Promise<T>,
): Promise<T | null> {
  const count = banks[0] ? at(banks[0].shape, 0) : 0;
  const step = chunkRows(rows);
  let result: T | null = null;
  for (let start = 0; start < count; start += step) {
    const end = Math.min(count, start + step);
    const before: T | null = result;
    result = await engine.scope(() =>
      visit(
        banks.map(({ shape, values }) => {
          const width = at(shape, 1);
          return engine.tensor(values.subarray(start * width, end * width), [end - start, width]);
        }),
        before,
        start,
      ),
    );
    // Uploads are copied when they are queued: running ahead would queue the whole bank.
    if ((start / step) % CHUNKS_AHEAD === CHUNKS_AHEAD - 1) await engine.finish();
  }
  return result;
}

/** The k largest of each row, of what was found before and a new part of the rows: [B, min(k, …)]. */
export function mergeTop({ ops }: Engine, before: Tensor | null, part: Tensor, k: number): Tensor {
  if (before && at(before.shape, 1) === k) return ops.topkMerge(before, part);
  const all = before ? ops.concat(before, part, { axis: 1 }) : part;
  return ops.topk(all, { k: Math.min(k, at(all.shape, 1)) });
}

/** The k largest of ⟨query, bank row⟩ over the whole bank, unsorted: [B, min(k, N)]. */
export async function nearest(
  engine: Engine,
  query: Tensor,
  bank: NamedArray,
  k: number,
): Promise<Tensor> {
  const { ops } = engine;
  const found = await eachChunk<Tensor>(engine, [bank], at(query.shape, 0), ([chunk], before) => {
    if (!chunk) throw new RangeError("nearest: no bank");
    const likeness = ops.matmul(query, chunk, null, { transposeB: true }); // [B, M]
    return mergeTop(engine, before, likeness, k);
  });
  if (!found) throw new RangeError("nearest: the bank is empty");
  return found;
}
