/** The first two principal axes of ID training features, and every set's points on them. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { principalAxes } from "../neco/index.ts";
import type { AxisPoints, TrainStatistics } from "../neco/index.ts";
import type { Cloud, PcaJson } from "../report/index.ts";
import { at } from "../util/shape.ts";

const MAX_POINTS = 1500; // per set: what a figure can show
const DECIMALS = 4; // significant digits of a coordinate

const rounded = (values: Float32Array): number[] =>
  Array.from(values, (value) => Number(value.toPrecision(DECIMALS)));

const cloudOf = ({ coordinates }: AxisPoints): Cloud => ({
  x: rounded(at(coordinates, 0)),
  y: rounded(at(coordinates, 1)),
});

/** `pca.json`: PCA without scaling, fitted on ID train; ID test and OOD projected. */
export async function pcaOf(
  engine: Engine,
  sets: {
    /** Of the ID training features. */
    readonly statistics: TrainStatistics;
    readonly test: FeatureSource;
    readonly ood: readonly FeatureSource[];
    readonly classes: readonly string[];
  },
): Promise<PcaJson> {
  const axes = await principalAxes(engine, sets.statistics);
  try {
    const known = await axes.project(sets.test, MAX_POINTS);
    const label = Array.from(known.rows, (row) => sets.test.labels?.[row] ?? 0);
    const ood: Record<string, Cloud> = {};
    for (const source of sets.ood)
      ood[source.name] = cloudOf(await axes.project(source, MAX_POINTS));
    return {
      schema: "neco-webgpu/pca@1",
      explained: [at(axes.explained, 0), at(axes.explained, 1)],
      classes: sets.classes,
      id: { ...cloudOf(known), label },
      ood,
    };
  } finally {
    axes.dispose();
  }
}
