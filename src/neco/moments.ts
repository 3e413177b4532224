/** The one pass over the training features that all scores share: mean, covariance, class means. */
import type { Engine, Tensor } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { MomentAccumulator } from "../linalg/index.ts";
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { groupSums } from "./groups.ts";
import { eachBlock } from "./block.ts";
import { setTitle } from "./checkSets.ts";
import type { Block, PassOptions } from "./block.ts";

/** Class means by true label; only classes that occur. */
export interface ClassMeans {
  /** Labels that occur, ascending: [K]. */
  readonly labels: Int32Array;
  readonly counts: Float64Array; // [K]
  readonly means: Float64Array; // [K · D]
  readonly dim: number;
}

/** First and second moments of the training features. */
export interface TrainStatistics {
  readonly name: string;
  readonly count: number;
  readonly dim: number;
  readonly mean: Float64Array; // [D]
  /** Divided by N: [D · D]. */
  readonly covariance: Float64Array;
  /** Null without labels. */
  readonly classes: ClassMeans | null;
}

/** Row of each label in {@link ClassMeans}. */
export const classRows = (labels: Int32Array): ReadonlyMap<number, number> =>
  new Map(Array.from(labels, (label, row) => [label, row]));

/** Row of each sample's class in {@link ClassMeans}. */
export function rowsOfLabels(labels: Int32Array, rows: ReadonlyMap<number, number>): Int32Array {
  return labels.map((label) => rows.get(label) ?? -1);
}

/**
 * Adds up class sums on the GPU. Rows are shifted by a first estimate of their class mean, so that f32 loses digits of the spread within the class
 * only, not of the means.
 */
export class ClassAccumulator {
  private readonly engine: Engine;
  private readonly labels: Int32Array;
  private readonly rows: ReadonlyMap<number, number>;
  private readonly dim: number;
  private readonly sums: Float64Array;
  private readonly counts: Float64Array;
  /** First estimates of the class means: [K · D]. */
  private readonly estimates: Float32Array;

  /** @param labels - the labels that occur, ascending. */
  constructor(engine: Engine, labels: Int32Array, dim: number) {
    this.engine = engine;
    this.labels = labels;
    this.rows = classRows(labels);
    this.dim = dim;
    this.sums = new Float64Array(labels.length * dim);
    this.counts = new Float64Array(labels.length);
    this.estimates = new Float32Array(labels.length * dim);
  }

  /** Adds a block; `classes` holds the label of each row. */
  async add(block: Block, classes: Int32Array): Promise<void> {
    const { engine, dim } = this;
    const own = rowsOfLabels(classes, this.rows);
    const fresh = new Set(own.filter((row) => at(this.counts, row) === 0));
    if (fresh.size > 0) await this.estimate(block, own, fresh);
    for (const row of own) this.counts[row] = at(this.counts, row) + 1;
    const centres = engine.tensor(this.estimates, [this.labels.length, dim]); // [K, D]
    const shift = engine.ops.gather(centres, engine.tensor(own, [block.rows])); // [B, D]
    (await this.classSums(block, own, shift)).forEach((sum, index) => {
      this.sums[index] = at(this.sums, index) + sum;
    });
  }

  /** Class means of this block alone, for classes that no block had before. */
  private async estimate(block: Block, own: Int32Array, fresh: Set<number>): Promise<void> {
    const { engine, dim } = this;
    const origin = engine.ops.slice(block.features, { axis: 0, start: 0, end: 1 }); // [1, D]
    const first = await origin.floats();
    const sums = await this.classSums(block, own, origin);
    const counts = new Float64Array(this.labels.length);
    for (const row of own) counts[row] = at(counts, row) + 1;
    for (const row of fresh)
      for (let column = 0; column < dim; column++) {
        const index = row * dim + column;
        this.estimates[index] = at(first, column) + at(sums, index) / at(counts, row);
      }
  }

  /** Σ over each class of (h − shift): [K · D]. */
  private classSums(block: Block, own: Int32Array, shift: Tensor): Promise<Float32Array> {
    const shifted = this.engine.ops.sub(block.features, shift); // [B, D]
    return groupSums(this.engine, shifted, own, this.labels.length);
  }

  /** The means so far. */
  finish(): ClassMeans {
    const { dim, counts, labels, estimates } = this;
    const means = this.sums.map(
      (sum, index) => at(estimates, index) + sum / at(counts, Math.floor(index / dim)),
    );
    return { labels, counts, means, dim };
  }
}

/** Labels that occur, ascending. */
export const labelsPresent = (labels: Int32Array): Int32Array =>
  Int32Array.from(new Set(labels)).sort();

/**
 * Mean, covariance and class means of a source, in one pass.
 * @throws DataError if the source is empty or holds NaN or Inf.
 */
export async function trainStatistics(
  engine: Engine,
  source: FeatureSource,
  options: PassOptions = {},
): Promise<TrainStatistics> {
  const { name, rows, dim, labels } = source;
  if (rows === 0)
    throw new DataError(`${setTitle(source)} is empty: pass features of the training set`);
  const moments = new MomentAccumulator(engine, dim);
  const classes = labels ? new ClassAccumulator(engine, labelsPresent(labels), dim) : null;
  await eachBlock(engine, source, { ...options, featuresOnly: true }, async (block) => {
    await moments.add(block.features).catch((cause: unknown) => {
      if (!(cause instanceof DataError)) throw cause;
      throw new DataError(`${setTitle(source)}: ${cause.message}`, { cause });
    });
    if (block.labels) await classes?.add(block, block.labels);
  });
  const { mean, covariance } = moments.finish();
  return { name, count: rows, dim, mean, covariance, classes: classes?.finish() ?? null };
}
