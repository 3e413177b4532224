/** A run's model at a step, ready to extract features with. */
import { join } from "node:path";
import { exists, readBytes, sha256 } from "#platform";
import type { ImageDataset } from "../data/dataset.ts";
import { ParamSet, type Engine } from "../engine/index.ts";
import { openHead, type Head } from "../io/index.ts";
import { DataError } from "../util/errors.ts";
import {
  initialSource,
  loadWeights,
  paramSpecs,
  Predictor,
  readCheckpoint,
  readModel,
  transformOf,
  vitConfig,
  type Augmentation,
  type ParamValues,
  type ResumePoint,
  type ViTConfig,
} from "../vit/index.ts";
import { checkpointPath, listSteps } from "./run-folder.ts";

/** A model with everything that features of it are known by. */
export interface LoadedModel {
  readonly config: ViTConfig;
  readonly values: ParamValues;
  readonly head: Head;
  readonly step: number;
  /** SHA-256 of the weights' file. */
  readonly hash: string;
}

const BATCH = 100; // images of a forward pass

/** The optimizer state beside a checkpoint. */
export const optimizerPath = (folder: string, step: number): string =>
  join(folder, "checkpoints", `step-${step}.optimizer.safetensors`);

/**
 * The model of a run at a step.
 * @throws DataError if there is no such checkpoint.
 * @throws FormatError if it is damaged.
 */
export async function loadRunModel(folder: string, step: number): Promise<LoadedModel> {
  const path = checkpointPath(folder, step);
  const bytes = await readBytes(path);
  const { config, values } = await readModel(bytes, path);
  return { config, values, head: await openHead(path), step, hash: await sha256(bytes) };
}

/** The model of a weights file by the name of its size; the head must be in the file. */
export async function loadNamedModel(
  path: string,
  name: string,
  changes: Partial<ViTConfig>,
): Promise<LoadedModel> {
  const head = await openHead(path).catch((cause: unknown) => {
    throw new DataError(
      `${path} holds no head under a usual name; features of a headless model are not extracted`,
      { cause },
    );
  });
  const config = vitConfig(name, { ...changes, classes: head.classes });
  const initial = initialSource(config, 0);
  const { values } = await loadWeights(path, config, initial, {
    head: "keep",
    interpolation: "bilinear",
  });
  return { config, values, head, step: 0, hash: await sha256(await readBytes(path)) };
}

/** The newest checkpoint with optimizer state, to go on from; null if there is none yet. */
export async function loadResume(
  folder: string,
): Promise<(ResumePoint & { readonly config: ViTConfig }) | null> {
  for (const step of (await listSteps(folder)).toReversed()) {
    const optimizer = optimizerPath(folder, step);
    if (!(await exists(optimizer))) continue;
    const path = checkpointPath(folder, step);
    const [weights, moments] = await Promise.all([readBytes(path), readBytes(optimizer)]);
    return readCheckpoint({ weights, optimizer: moments }, path);
  }
  return null;
}

/** What images become before the model sees them: geometry and normalisation, for keys and files. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Training's augmentation, drawn by a seed. */
export interface Augmenting {
  readonly augmentation: Augmentation;
  readonly seed: number;
}

/** Puts the model on the engine; `work` gets a predictor for images of the data set's geometry. */
export async function withPredictor<T>(
  engine: Engine,
  { config, values }: LoadedModel,
  source: Pick<ImageDataset, "height" | "width" | "channels"> & Normalisation,
  work: (predictor: Predictor) => Promise<T>,
  augment: Augmenting | null = null,
): Promise<T> {
  return engine.scope(async () => {
    const params = new ParamSet(engine, paramSpecs(config, values)); // freed by the scope
    const transform = transformOf(source, config, augment);
    const model = { config, weights: params, transform };
    const predictor = new Predictor(engine, model, BATCH, augment?.seed ?? null);
    try {
      return await work(predictor);
    } finally {
      predictor.dispose();
    }
  });
}
