/** Mean and covariance of rows that arrive in blocks, exact to about f32's rounding of the data. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { refuseCapture } from "./checks.ts";
import { get } from "./float64.ts";
import { BLOCK_ROWS, CHUNK_ROWS, rowsOf, shiftedSums } from "./shiftedSums.ts";

/** Count, mean and covariance: all that PCA and Gaussians need of a sample. */
export interface Moments {
  readonly count: number;
  /** [D] */
  readonly mean: Float64Array;
  /** [D · D], divided by the count. */
  readonly covariance: Float64Array;
}

/** Count, mean and Σ (x − mean)(x − mean)ᵀ, as the merges keep them. */
interface Scatter {
  readonly count: number;
  readonly mean: Float64Array;
  readonly scatter: Float64Array;
}

/** Merges two scatters (Chan, Golub and LeVeque) into the first one's memory. */
function mergeScatter(into: Scatter, from: Scatter): Scatter {
  if (from.count === 0) return into;
  const dim = into.mean.length;
  const count = into.count + from.count;
  const shift = from.mean.map((value, j) => value - get(into.mean, j));
  const weight = (into.count * from.count) / count;
  for (let i = 0; i < dim; i++) {
    const across = weight * get(shift, i);
    into.mean[i] = get(into.mean, i) + (get(shift, i) * from.count) / count;
    for (let index = i * dim, j = 0; j < dim; index++, j++)
      into.scatter[index] =
        get(into.scatter, index) + get(from.scatter, index) + across * get(shift, j);
  }
  return { ...into, count };
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
  /** A block's scatter, before it is merged: fresh memory for each would cost more than the sums. */
  private readonly own: Float64Array; // [D · D]

  /** @param dim - features per row. */
  constructor(engine: Engine, dim: number) {
    this.engine = engine;
    this.dim = dim;
    this.total = {
      count: 0,
      mean: new Float64Array(dim),
      scatter: new Float64Array(dim * dim),
    };
    this.own = new Float64Array(dim * dim);
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
    const hi = new Float32Array(mean);
    const lo = new Float32Array(mean.map((value, j) => value - at(hi, j)));
    const { first, second } = shiftedSums(this.engine, block, [hi, lo]);
    const [firsts, seconds] = await Promise.all([first.floats(), second.floats()]);
    const { dim, own: scatter } = this;
    const sums = new Float64Array(firsts);
    scatter.set(seconds);
    this.checkFinite(sums, scatter, rows);
    const off = sums.map((sum) => sum / rows); // block mean − shift
    for (let i = 0; i < dim; i++) {
      const share = rows * get(off, i);
      for (let index = i * dim, j = 0; j < dim; index++, j++)
        scatter[index] = get(scatter, index) - share * get(off, j);
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
    const [sums, start] = await Promise.all([
      engine.ops.sum(shifted, { axes: [0] }).floats(),
      origin.floats(),
    ]);
    // A NaN here is reported with its column when the sums are checked.
    return new Float64Array(dim).map((_, j) => at(start, j) + at(sums, j) / used);
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
