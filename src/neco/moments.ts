/** The one pass over the training features that all scores share: mean, covariance, class means. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { MomentAccumulator } from "../linalg/index.ts";
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { eachBlock } from "./block.ts";
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

/** Mean k of the class means. */
export const classMean = ({ means, dim }: ClassMeans, row: number): Float64Array =>
  means.subarray(row * dim, (row + 1) * dim);

/**
 * Adds up class sums on the GPU: one-hot [B, K] transposed times features [B, D]. Rows are shifted by the
 * first one, so that a mean far from zero costs no digits.
 */
export class ClassAccumulator {
  private readonly engine: Engine;
  private readonly labels: Int32Array;
  private readonly rows: ReadonlyMap<number, number>;
  private readonly dim: number;
  private readonly sums: Float64Array;
  private readonly counts: Float64Array;
  private shift: Float32Array | null = null;

  /** @param labels - the labels that occur, ascending. */
  constructor(engine: Engine, labels: Int32Array, dim: number) {
    this.engine = engine;
    this.labels = labels;
    this.rows = classRows(labels);
    this.dim = dim;
    this.sums = new Float64Array(labels.length * dim);
    this.counts = new Float64Array(labels.length);
  }

  /** Adds a block; `classes` holds the label of each row. */
  async add(block: Block, classes: Int32Array): Promise<void> {
    const { ops } = this.engine;
    this.shift ??= await ops.slice(block.features, { axis: 0, start: 0, end: 1 }).floats();
    const width = this.labels.length;
    const oneHot = new Float32Array(block.rows * width);
    rowsOfLabels(classes, this.rows).forEach((row, sample) => {
      oneHot[sample * width + row] = 1;
      this.counts[row] = at(this.counts, row) + 1;
    });
    const shift = this.engine.tensor(this.shift, [this.dim]);
    const shifted = ops.sub(block.features, shift); // [B, D]
    const member = this.engine.tensor(oneHot, [block.rows, width]); // [B, K]
    const sums = await ops.matmul(member, shifted, null, { transposeA: true }).floats(); // [K, D]
    sums.forEach((sum, index) => (this.sums[index] = at(this.sums, index) + sum));
  }

  /** The means so far. */
  finish(): ClassMeans {
    const { dim, counts, labels } = this;
    const shift = this.shift ?? new Float32Array(dim);
    const means = this.sums.map(
      (sum, index) => at(shift, index % dim) + sum / at(counts, Math.floor(index / dim)),
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
  if (rows === 0) throw new DataError(`${name} is empty: pass features of the training set`);
  const moments = new MomentAccumulator(engine, dim);
  const classes = labels ? new ClassAccumulator(engine, labelsPresent(labels), dim) : null;
  await eachBlock(engine, source, { ...options, featuresOnly: true }, async (block) => {
    await moments.add(block.features);
    if (block.labels) await classes?.add(block, block.labels);
  });
  const { mean, covariance } = moments.finish();
  return { name, count: rows, dim, mean, covariance, classes: classes?.finish() ?? null };
}
