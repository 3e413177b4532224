/** Mean and covariance of rows that arrive in blocks, exact to about f32's rounding of the data. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { refuseCapture } from "./checks.ts";
import { get } from "./float64.ts";

/** Count, mean and covariance: all that PCA and Gaussians need of a sample. */
export interface Moments {
  readonly count: number;
  /** [D] */
  readonly mean: Float64Array;
  /** [D · D], divided by the count. */
  readonly covariance: Float64Array;
}

/** Rows of one f32 product: more would let its rounding grow. */
const CHUNK_ROWS = 256;

/** Rows whose products are added on the GPU before the host adds them in float64. */
const BLOCK_ROWS = 4096;

/** Sums over the rows of a block: Σ (x − s) and Σ (x − s)(x − s)ᵀ. */
interface Sums {
  readonly first: Tensor; // [D]
  readonly second: Tensor; // [D, D]
}

/** Count, mean and Σ (x − mean)(x − mean)ᵀ, as the merges keep them. */
interface Scatter {
  readonly count: number;
  readonly mean: Float64Array;
  readonly scatter: Float64Array;
}

/** Merges two scatters (Chan, Golub and LeVeque) into the first one's memory. */
function mergeScatter(into: Scatter, from: Scatter): Scatter {
  if (into.count === 0) return from;
  if (from.count === 0) return into;
  const dim = into.mean.length;
  const count = into.count + from.count;
  const shift = from.mean.map((value, j) => value - get(into.mean, j));
  const weight = (into.count * from.count) / count;
  for (let i = 0; i < dim; i++) {
    const across = weight * get(shift, i);
    into.mean[i] = get(into.mean, i) + (get(shift, i) * from.count) / count;
    for (let j = 0; j < dim; j++) {
      const index = i * dim + j;
      into.scatter[index] =
        get(into.scatter, index) + get(from.scatter, index) + across * get(shift, j);
    }
  }
  return { count, mean: into.mean, scatter: into.scatter };
}

const toScatter = ({ count, mean, covariance }: Moments): Scatter => ({
  count,
  mean: mean.slice(),
  scatter: covariance.map((value) => value * count),
});

const toMoments = ({ count, mean, scatter }: Scatter): Moments => ({
  count,
  mean: mean.slice(),
  covariance: scatter.map((value) => value / count),
});

/**
 * Moments of the union of two samples.
 * @throws ShapeError if their dimensions differ.
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.mean.length !== b.mean.length)
    throw new ShapeError("mergeMoments", "dimensions differ", {
      a: [a.mean.length],
      b: [b.mean.length],
    });
  return toMoments(mergeScatter(toScatter(a), toScatter(b)));
}

/**
 * Adds blocks of rows up. Rows are shifted by the mean so far (as hi + lo f32), multiplied in
 * chunks of 256 rows on the GPU, added as a tree over at most 4,096 rows, and merged on the host in
 * float64: a mean far from zero, or many rows, costs no digits.
 *
 * @example
 * const moments = new MomentAccumulator(engine, 768);
 * for (const block of blocks) await moments.add(block);
 * const \{ mean, covariance \} = moments.finish();
 */
export class MomentAccumulator {
  private readonly engine: Engine;
  private readonly dim: number;
  private total: Scatter;

  /** @param dim - features per row. */
  constructor(engine: Engine, dim: number) {
    this.engine = engine;
    this.dim = dim;
    this.total = {
      count: 0,
      mean: new Float64Array(dim),
      scatter: new Float64Array(dim * dim),
    };
  }

  /** Rows added so far. */
  get count(): number {
    return this.total.count;
  }

  /**
   * Adds the first `rows` rows (default: all) of a block [B, D]; wait for it before the next.
   * @throws ShapeError if the block has another width or fewer rows.
   * @throws DataError if it holds NaN or Inf.
   */
  async add(block: Tensor, rows: number = block.shape[0] ?? 0): Promise<void> {
    const { engine, dim } = this;
    refuseCapture("moments", engine);
    if (block.shape.length !== 2 || block.shape[1] !== dim)
      throw new ShapeError("moments", `blocks must be [rows, ${dim}]`, { block: block.shape });
    if (!Number.isInteger(rows) || rows < 0 || rows > at(block.shape, 0))
      throw new ShapeError("moments", `the block does not have ${rows} rows`, {
        block: block.shape,
      });
    for (let start = 0; start < rows; start += BLOCK_ROWS) {
      const size = Math.min(BLOCK_ROWS, rows - start);
      await engine.scope(() => this.addRows(rowsOf(engine, block, start, size), size));
    }
  }

  private async addRows(block: Tensor, rows: number): Promise<void> {
    const mean = this.count === 0 ? await this.firstMean(block, rows) : this.total.mean;
    const hi = Float32Array.from(mean);
    const lo = Float32Array.from(mean, (value, j) => value - at(hi, j));
    const { first, second } = this.sums(block, rows, hi, lo);
    const sums = new Float64Array(await first.floats());
    const scatter = new Float64Array(await second.floats());
    this.checkFinite(sums, scatter, rows);
    const off = sums.map((sum) => sum / rows); // block mean − shift
    for (let i = 0; i < this.dim; i++)
      for (let j = 0; j < this.dim; j++) {
        const index = i * this.dim + j;
        scatter[index] = get(scatter, index) - rows * get(off, i) * get(off, j);
      }
    const blockMean = off.map((value, j) => at(hi, j) + at(lo, j) + value);
    this.total = mergeScatter(this.total, { count: rows, mean: blockMean, scatter });
  }

  /** A shift for the very first rows: their mean, found after shifting by the first row. */
  private async firstMean(block: Tensor, rows: number): Promise<Float64Array> {
    const { engine, dim } = this;
    const used = Math.min(rows, CHUNK_ROWS);
    const origin = rowsOf(engine, block, 0, 1);
    const shifted = engine.ops.sub(rowsOf(engine, block, 0, used), origin);
    const sums = await engine.ops.sum(shifted, { axes: [0] }).floats();
    const start = await origin.floats();
    // A NaN here is reported with its column when the sums are checked.
    return Float64Array.from({ length: dim }, (_, j) => at(start, j) + at(sums, j) / used);
  }

  /** Chunk sums, added like a binary counter: two sums of equal length become one of twice that. */
  private sums(block: Tensor, rows: number, hi: Float32Array, lo: Float32Array): Sums {
    const { engine } = this;
    const [high, low] = [engine.tensor(hi), engine.tensor(lo)];
    const pending: (Sums & { readonly chunks: number })[] = [];
    for (let start = 0; start < rows; start += CHUNK_ROWS) {
      const chunk = rowsOf(engine, block, start, Math.min(CHUNK_ROWS, rows - start));
      let made = { ...chunkSums(engine, chunk, high, low), chunks: 1 };
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
      ) ?? chunkSums(engine, block, high, low)
    );
  }

  private checkFinite(sums: Float64Array, scatter: Float64Array, rows: number): void {
    const bad = sums.findIndex(
      (sum, j) => !Number.isFinite(sum) || !Number.isFinite(get(scatter, j * this.dim + j)),
    );
    if (bad >= 0)
      throw new DataError(
        `moments: column ${bad} of rows ${this.count}…${this.count + rows - 1} holds NaN, Inf or values beyond 1e19; check the features`,
      );
  }

  /**
   * The moments of all rows added; more may follow.
   * @throws DataError if there are none.
   */
  finish(): Moments {
    if (this.count === 0) throw new DataError("moments: no rows were added");
    return toMoments(this.total);
  }
}

/** Rows `start`… of a block as a view; `start` is a multiple of 256, hence aligned. */
const rowsOf = (engine: Engine, block: Tensor, start: number, rows: number): Tensor =>
  engine.view(block, [rows, at(block.shape, 1)], start * at(block.shape, 1) * 4);

function chunkSums(engine: Engine, chunk: Tensor, high: Tensor, low: Tensor): Sums {
  const { ops } = engine;
  const rough = ops.sub(chunk, high);
  const shifted = ops.sub(rough, low);
  const sums = {
    first: ops.sum(shifted, { axes: [0] }),
    second: ops.matmul(shifted, shifted, null, { transposeA: true }),
  };
  rough.dispose();
  shifted.dispose();
  return sums;
}

function addSums(engine: Engine, a: Sums, b: Sums): Sums {
  const sums = {
    first: engine.ops.add(a.first, b.first),
    second: engine.ops.add(a.second, b.second),
  };
  for (const tensor of [a.first, a.second, b.first, b.second]) tensor.dispose();
  return sums;
}
