/** Neural collapse of one checkpoint: NC1–NC5, with the OOD set as a further class, and OOD alone. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { eachBlock } from "./block.ts";
import type { PassOptions } from "./block.ts";
import { assertFit, assertNames } from "./checkSets.ts";
import { agreement } from "./collapse/agreement.ts";
import type { AgreementInput } from "./collapse/agreement.ts";
import {
  centred,
  equiangularity,
  equinorm,
  meanRow,
  orthogonality,
  rowOf,
  selfDuality,
  withRow,
} from "./collapse/geometry.ts";
import type { Rows } from "./collapse/geometry.ts";
import { regularisedLoss } from "./collapse/loss.ts";
import type { LossOptions, RegularisedLoss } from "./collapse/loss.ts";
import { mseDecomposition } from "./collapse/mse.ts";
import type { MseDecomposition } from "./collapse/mse.ts";
import { variabilityTrace } from "./collapse/variability.ts";
import type { Group } from "./collapse/variability.ts";
import { assertSquares } from "./finite.ts";
import { assertConsistent } from "./fit.ts";
import { ClassAccumulator, classRows, labelsPresent, rowsOfLabels } from "./moments.ts";
import type { ClassMeans } from "./moments.ts";
import { defaultOptions } from "./options.ts";
import { sameSetWarnings } from "./sameRows.ts";

/** The four figures of NC2. */
export interface Nc2 {
  readonly equinorm_means: number;
  readonly equinorm_weights: number;
  readonly equiangularity_means: number;
  readonly equiangularity_weights: number;
}

/** Neural-collapse metrics of one checkpoint. */
export interface NcMetrics {
  /** Tr(Σ_W Σ_B⁺)/C. */
  readonly nc1: number;
  /** Tr(Σ_W Σ_B⁺), as the Neural Collapse notebook states it. */
  readonly nc1_trace: number;
  readonly nc2: Nc2;
  readonly nc3: number;
  readonly nc4: number;
  readonly nc5: Readonly<Record<string, number>>;
  readonly with_ood: Readonly<Record<string, { readonly nc1: number; readonly nc2: Nc2 }>>;
  /** Only for OOD sets with labels of their own, of at least 2 classes. */
  readonly ood_only: Readonly<Record<string, { readonly nc1: number }>>;
  /** Of the features that were measured, usually the training set's, as a fraction. */
  readonly accuracy: number;
  /** Where a weight decay was given for it. */
  readonly mse?: MseDecomposition;
  /** Where it was asked for. */
  readonly loss?: RegularisedLoss;
}

/** `neco nc --json`. */
export interface NcJson extends NcMetrics {
  readonly schema: "neco-webgpu/nc@1";
  readonly adapter: string;
  /** One entry per checkpoint of a run. */
  readonly steps?: readonly (NcMetrics & { readonly step: number })[];
}

/** What {@link neuralCollapse} takes. */
export interface NcInput extends AgreementInput {
  readonly ood?: readonly FeatureSource[];
  /** Cut-off of Σ_B⁺, relative to its largest eigenvalue; default 1e-6. */
  readonly rcond?: number;
  /** Splits the squared error under this weight decay into its parts; not by default. */
  readonly mseWeightDecay?: number;
  /** Measures the regularised training loss too; not by default. */
  readonly loss?: LossOptions;
}

/**
 * NC1–NC5 of features with labels under a head. Classes without samples are left out, of the
 * weights too.
 * @throws DataError if labels are missing, fewer than 2 classes occur, or values are not finite.
 * @throws UsageError if two OOD sets share a name.
 */
export async function neuralCollapse(engine: Engine, input: NcInput): Promise<NcMetrics> {
  const { features, weights, ood = [] } = input;
  const labels = assertInput(input);
  for (const warning of await sameSetWarnings([features, ...ood])) input.onWarning?.(warning);
  const classes = await classMeans(engine, features, labels, input);
  const means: Rows = { values: classes.means, rows: classes.labels.length, dim: features.dim };
  const centre = meanRow(means);
  const spread = centred(means, centre);
  const w = presentRows(weights, classes.labels);
  const own = { source: features, classes: rowsOfLabels(labels, classRows(classes.labels)) };
  const trace = await variabilityTrace(engine, [own], { means, centre, ...cut(input) }, input);
  const classifier = {
    equinorm_weights: equinorm(w),
    equiangularity_weights: await equiangularity(engine, w),
  };
  const known: Known = { own, means, centre, classifier };
  const extras: [string, OodCollapse][] = [];
  for (const source of ood) extras.push([source.name, await withOod(engine, input, known, source)]);
  const column = <T>(of: (extra: OodCollapse) => T): Record<string, T> =>
    Object.fromEntries(extras.map(([name, extra]) => [name, of(extra)]));
  return {
    nc1: trace / means.rows,
    nc1_trace: trace,
    nc2: { ...(await meansGeometry(engine, spread)), ...classifier },
    nc3: selfDuality(w, spread),
    ...(await agreement(engine, input, labels, classes)),
    ...(await squaredError(engine, input, { own, means, counts: classes.counts, weights: w })),
    ...(input.loss
      ? { loss: await regularisedLoss(engine, { ...input, loss: input.loss }, input) }
      : {}),
    nc5: column(({ nc5 }) => nc5),
    with_ood: column(({ joint }) => joint),
    ood_only: Object.fromEntries(
      extras.flatMap(([name, { alone }]) => (alone === null ? [] : [[name, { nc1: alone }]])),
    ),
  };
}

/** The parts of the squared error, where they are wanted. */
async function squaredError(
  engine: Engine,
  input: NcInput,
  { own, means, counts, weights }: { own: Group; means: Rows; counts: Float64Array; weights: Rows },
): Promise<Pick<NcMetrics, "mse">> {
  const { mseWeightDecay: weightDecay, weights: head, features } = input;
  if (weightDecay === undefined) return {};
  if (!(weightDecay > 0))
    throw new UsageError(`the squared error's weight decay must be above 0, not ${weightDecay}`);
  const present = labelsPresent(features.labels ?? new Int32Array());
  const bias = Float64Array.from(present, (label) => head.bias?.[label] ?? 0);
  const parts = { own, means, counts, classifier: { weights, bias }, weightDecay };
  return { mse: await mseDecomposition(engine, parts, input) };
}

/** What the ID side contributes to the figures of each OOD set. */
interface Known {
  readonly own: Group;
  readonly means: Rows;
  readonly centre: Float64Array;
  readonly classifier: Pick<Nc2, "equinorm_weights" | "equiangularity_weights">;
}

/** One OOD set's figures. */
interface OodCollapse {
  readonly nc5: number;
  readonly joint: { readonly nc1: number; readonly nc2: Nc2 };
  readonly alone: number | null;
}

const cut = ({ rcond = defaultOptions.rcond }: NcInput): { rcond: number } => ({ rcond });

async function meansGeometry(
  engine: Engine,
  vectors: Rows,
): Promise<Pick<Nc2, "equinorm_means" | "equiangularity_means">> {
  return {
    equinorm_means: equinorm(vectors),
    equiangularity_means: await equiangularity(engine, vectors),
  };
}

/** The OOD set as class C + 1, around the mean of the ID class means, and by itself. */
async function withOod(
  engine: Engine,
  input: NcInput,
  { own, means, centre, classifier }: Known,
  source: FeatureSource,
): Promise<OodCollapse> {
  const single = new Int32Array(source.rows);
  const { means: mean } = await classMeans(engine, source, single, input);
  const joint = withRow(means, mean);
  const extra = { source, classes: new Int32Array(source.rows).fill(means.rows) };
  const about = { means: joint, centre, ...cut(input) };
  const trace = await variabilityTrace(engine, [own, extra], about, input);
  const geometry = await meansGeometry(engine, centred(joint, centre));
  return {
    nc5: orthogonality(means, mean),
    joint: { nc1: trace / joint.rows, nc2: { ...geometry, ...classifier } },
    alone: await oodAlone(engine, source, input),
  };
}

function assertInput({ features, weights, ood = [] }: NcInput): Int32Array {
  const { labels, name } = features;
  assertConsistent(features, weights);
  if (!labels) throw new DataError(`${name}: neural collapse needs class labels; add "labels" [N]`);
  const present = labelsPresent(labels).length;
  if (present < 2)
    throw new DataError(
      `${name}: neural collapse needs at least 2 classes, found ${present}; pass features of all classes`,
    );
  assertNames(ood);
  assertFit({ base: features, head: weights }, ood, "OOD set");
  return labels;
}

async function classMeans(
  engine: Engine,
  source: FeatureSource,
  labels: Int32Array,
  pass: PassOptions,
): Promise<ClassMeans> {
  const sums = new ClassAccumulator(engine, labelsPresent(labels), source.dim);
  let start = 0;
  await eachBlock(engine, source, { ...pass, featuresOnly: true }, async (block) => {
    assertSquares(await block.hostFeatures(), source, start);
    await sums.add(block, labels.subarray(start, start + block.rows));
    start += block.rows;
  });
  return sums.finish();
}

/** NC1 of an OOD set by its own labels; null without labels of 2 classes. */
async function oodAlone(
  engine: Engine,
  source: FeatureSource,
  input: NcInput,
): Promise<number | null> {
  const { labels } = source;
  if (!labels || labelsPresent(labels).length < 2) return null;
  const classes = await classMeans(engine, source, labels, input);
  const means = { values: classes.means, rows: classes.labels.length, dim: source.dim };
  const group = { source, classes: rowsOfLabels(labels, classRows(classes.labels)) };
  const about = { means, centre: meanRow(means), ...cut(input) };
  return (await variabilityTrace(engine, [group], about, input)) / means.rows;
}

/** Rows of W whose class occurs. */
function presentRows({ weight, dim }: Head, labels: Int32Array): Rows {
  const all = { values: Float64Array.from(weight), rows: weight.length / dim, dim };
  const values = new Float64Array(labels.length * dim);
  labels.forEach((label, row) => {
    values.set(rowOf(all, label), row * dim);
  });
  return { values, rows: labels.length, dim };
}
