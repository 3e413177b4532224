/** Features on the first principal axes of the ID training set: the scatter of the NECO paper, in 2 or 3 dimensions. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { arrayTensor, splitTensor, splitVector, subtractSplit } from "./arrays.ts";
import { eachBlock } from "./block.ts";
import type { TrainStatistics } from "./moments.ts";
import { columns, explainedVariance, spectrum } from "./spectrum.ts";

/** Principal axes (unscaled PCA, as the paper's figure) of training features. */
export interface PrincipalAxes {
  /** Share of the variance along each axis. */
  readonly explained: readonly number[];
  /** Coordinates of a source's rows, at most `maxPoints` of them evenly spread: one array per axis. */
  project(source: FeatureSource, maxPoints?: number): Promise<AxisPoints>;
  dispose(): void;
}

/** Points by coordinate. */
export interface AxisPoints {
  readonly coordinates: readonly Float32Array[];
  /** Row of the source that each point is. */
  readonly rows: Int32Array;
}

const MAX_POINTS = 2000; // more hide each other in a plot

/**
 * The first `count` principal axes of training features.
 * @throws UsageError if the features have fewer dimensions.
 */
export async function principalAxes(
  engine: Engine,
  train: TrainStatistics,
  count: 2 | 3 = 2,
): Promise<PrincipalAxes> {
  if (train.dim < count)
    throw new UsageError(
      `${train.name}: ${count} axes need at least as many features, got ${train.dim}`,
    );
  const { values, vectors } = await spectrum(engine, train.covariance, train.dim);
  const axes = arrayTensor(engine, columns(vectors, 0, count)); // [D, count]
  const mean = splitTensor(engine, splitVector(train.mean));
  const total = explainedVariance(values);
  return {
    explained: Array.from(
      { length: count },
      (_, k) => at(total, k) - (k > 0 ? at(total, k - 1) : 0),
    ),
    async project(source, maxPoints = MAX_POINTS) {
      const kept = spread(source.rows, maxPoints);
      const coordinates = Array.from({ length: count }, () => new Float32Array(kept.length));
      let start = 0;
      let next = 0;
      await eachBlock(engine, source, { featuresOnly: true }, async (block) => {
        const centred = subtractSplit(engine, block.features, mean);
        const points = await engine.ops.matmul(centred, axes).floats(); // [B, count]
        for (; next < kept.length && at(kept, next) < start + block.rows; next++)
          coordinates.forEach((axis, k) => {
            axis[next] = at(points, (at(kept, next) - start) * count + k);
          });
        start += block.rows;
      });
      return { coordinates, rows: kept };
    },
    dispose: () => {
      for (const tensor of [axes, mean.hi, mean.lo]) tensor.dispose();
    },
  };
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** One row of each of at most `count` stretches, at no fixed step: labels that recur would meet it. */
function spread(rows: number, count: number): Int32Array {
  const kept = Math.min(rows, Math.max(1, count));
  const startOf = (point: number): number => Math.floor((point * rows) / kept);
  return Int32Array.from({ length: kept }, (_, point) => {
    const start = startOf(point);
    return start + Math.floor(((point * GOLDEN) % 1) * (startOf(point + 1) - start));
  });
}
