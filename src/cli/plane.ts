/** The first two principal axes of ID training features, and every set's points on them. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { eigh } from "../linalg/index.ts";
import { trainStatistics } from "../neco/moments.ts";
import type { Cloud, PcaJson } from "../report/index.ts";
import { at } from "../util/shape.ts";

const MAX_POINTS = 1500; // per set: what a figure can show
const DECIMALS = 4; // significant digits of a coordinate

interface Plane {
  readonly mean: Float64Array;
  readonly axes: readonly [Float64Array, Float64Array];
  readonly explained: readonly [number, number];
}

async function fitPlane(engine: Engine, train: FeatureSource): Promise<Plane> {
  const { mean, covariance, dim } = await trainStatistics(engine, train);
  const { values, vectors } = await eigh(
    engine,
    engine.tensor(Float32Array.from(covariance), [dim, dim]),
  );
  const columns = await vectors.floats();
  vectors.dispose();
  const axis = (index: number): Float64Array =>
    Float64Array.from({ length: dim }, (_, row) => columns[row * dim + index] ?? 0);
  const total = values.reduce((sum, value) => sum + value, 0) || 1;
  const share = (index: number): number => (values[index] ?? 0) / total;
  return { mean, axes: [axis(0), axis(1)], explained: [share(0), share(1)] };
}

const rounded = (value: number): number => Number(value.toPrecision(DECIMALS));

/** Evenly spaced rows of a source, at most {@link MAX_POINTS}. */
const pickRows = (rows: number): number[] => {
  const shown = Math.min(rows, MAX_POINTS);
  return Array.from({ length: shown }, (_, index) => Math.floor((index * rows) / shown));
};

async function project(plane: Plane, source: FeatureSource): Promise<Cloud & { rows: number[] }> {
  const rows = pickRows(source.rows);
  const features = await source.features(0, source.rows);
  const along = (axis: Float64Array): number[] =>
    rows.map((row) => {
      let sum = 0;
      for (let column = 0; column < source.dim; column++)
        sum +=
          (at(features, row * source.dim + column) - at(plane.mean, column)) * at(axis, column);
      return rounded(sum);
    });
  return { x: along(plane.axes[0]), y: along(plane.axes[1]), rows };
}

/** `pca.json`: PCA without scaling, fitted on ID train; ID test and OOD projected. */
export async function pcaOf(
  engine: Engine,
  sets: {
    readonly train: FeatureSource;
    readonly test: FeatureSource;
    readonly ood: readonly FeatureSource[];
    readonly classes: readonly string[];
  },
): Promise<PcaJson> {
  const plane = await fitPlane(engine, sets.train);
  const { x, y, rows } = await project(plane, sets.test);
  const label = rows.map((row) => sets.test.labels?.[row] ?? 0);
  const ood: Record<string, Cloud> = {};
  for (const source of sets.ood) {
    const cloud = await project(plane, source);
    ood[source.name] = { x: cloud.x, y: cloud.y };
  }
  const { explained } = plane;
  return {
    schema: "neco-webgpu/pca@1",
    explained,
    classes: sets.classes,
    id: { x, y, label },
    ood,
  };
}
