/** What the page knows of a model at one step: neural collapse, the cloud of features, a detector. */
import type { ImageDataset, Split } from "../src/data/dataset.ts";
import { ParamSet } from "../src/engine/index.ts";
import type { Engine } from "../src/engine/index.ts";
import { findHead, memoryFeatures, parseSafetensors } from "../src/io/index.ts";
import type { FeatureSource, Head } from "../src/io/index.ts";
import {
  createDetector,
  findScore,
  fitScores,
  neuralCollapse,
  principalAxes,
} from "../src/neco/index.ts";
import type { DetectorSpec, FitResult } from "../src/neco/index.ts";
import { DataError } from "../src/util/errors.ts";
import { paramSpecs, Predictor, readModel, transformOf } from "../src/vit/index.ts";
import type { ParamValues, ViTConfig } from "../src/vit/index.ts";
import type { Digits } from "./digits.ts";
import { ImageDetector } from "../src/image-detector.ts";

/** Points in the space of the first three principal components. */
export interface FeatureCloud {
  /** [N, 3], centred on the training features' mean. */
  readonly positions: Float32Array;
  /** Class of each point; −1 for the held-out digits. */
  readonly labels: Int32Array;
  /** Share of the variance along each axis. */
  readonly explained: readonly number[];
}

/** A model at a step. */
export interface Snapshot {
  readonly step: number;
  readonly nc1: number;
  readonly cloud: FeatureCloud;
  readonly judge: ImageDetector;
}

interface Model {
  readonly config: ViTConfig;
  readonly values: ParamValues;
  readonly head: Head;
}

interface Features {
  readonly sample: FeatureSource;
  readonly val: FeatureSource;
  readonly heldOut: FeatureSource;
}

const MAX_POINTS = 1600; // more hide each other
const HELD_OUT_SHARE = 0.25; // of the known points, so that black does not cover them

/** Measures a checkpoint's weights. */
export async function takeSnapshot(
  engine: Engine,
  weights: Uint8Array,
  digits: Digits,
): Promise<Snapshot> {
  const { config, values, step } = await readModel(weights, "checkpoint");
  const head = await findHead(await parseSafetensors(weights));
  if (!head) throw new DataError("the checkpoint holds no head: train again");
  const model = { config, values, head };
  const { nc1, cloud, spec } = await engine.scope(async () => {
    const features = await extract(engine, model, digits);
    const fit = await fitScores({
      engine,
      train: features.sample,
      head,
      scores: [findScore("neco")],
    });
    const { nc1 } = await neuralCollapse(engine, { features: features.sample, weights: head });
    const cloud = await projected(engine, features, fit);
    return { nc1, cloud, spec: await fitDetector(engine, model, digits.known, features, fit) };
  });
  return { step, nc1, cloud, judge: new ImageDetector(engine, spec, 1) };
}

async function extract(engine: Engine, model: Model, digits: Digits): Promise<Features> {
  const { config, values } = model;
  const { known, sample, heldOut } = digits;
  const predictor = new Predictor(engine, {
    config,
    weights: new ParamSet(engine, paramSpecs(config, values)), // freed by the caller's scope
    transform: transformOf(known, config, null),
  });
  const source = async (name: string, split: Split): Promise<FeatureSource> => {
    const all = Array.from({ length: split.count }, (_, index) => index);
    const { features, logits } = await predictor.predict(await split.images(all));
    return memoryFeatures(name, { features, logits, dim: config.dim, labels: split.labels });
  };
  try {
    return {
      sample: await source("training digits", sample),
      val: await source("validation digits", known.splits.val),
      heldOut: await source("held-out digits", heldOut.splits.test),
    };
  } finally {
    predictor.dispose();
  }
}

async function projected(
  engine: Engine,
  { sample, heldOut }: Features,
  { train }: FitResult,
): Promise<FeatureCloud> {
  const axes = await principalAxes(engine, train, 3);
  const known = await axes.project(sample, MAX_POINTS);
  const unknown = await axes.project(heldOut, Math.ceil(HELD_OUT_SHARE * known.rows.length));
  const parts = [known, unknown];
  const count = known.rows.length + unknown.rows.length;
  const positions = new Float32Array(3 * count);
  let point = 0;
  for (const { coordinates, rows } of parts)
    for (let row = 0; row < rows.length; row++, point++)
      coordinates.forEach((axis, k) => {
        positions[3 * point + k] = axis[row] ?? 0;
      });
  const labels = new Int32Array(count).fill(-1);
  known.rows.forEach((row, index) => {
    labels[index] = sample.labels?.[row] ?? -1;
  });
  return { positions, labels, explained: axes.explained };
}

/** The detector as data: what it puts on the GPU here goes with the caller's scope. */
async function fitDetector(
  engine: Engine,
  { config, values, head }: Model,
  known: ImageDataset,
  { val }: Features,
  { fitted, skipped }: FitResult,
): Promise<DetectorSpec> {
  const [neco] = fitted;
  if (!neco) throw new DataError(`NECO cannot be fitted: ${skipped["neco"] ?? "no reason given"}`);
  const { classes, height, width, channels, mean, std } = known;
  const detector = await createDetector({
    engine,
    fitted: neco,
    validation: val,
    head,
    classes,
    preprocessing: { height, width, channels, mean, std },
    model: { ...config },
    modelArrays: Object.fromEntries(
      [...values].map(([name, array]) => [name, { shape: [array.length], values: array }]),
    ),
  });
  detector.dispose();
  return detector.spec;
}
