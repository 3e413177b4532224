/** What a training run is made of: from options, or from the folder of a run that was stopped. */
import { resolve } from "node:path";
import { toGeometry } from "../data/convert.ts";
import type { ImageDataset } from "../data/dataset.ts";
import { loadDataset } from "../data/registry.ts";
import type { Engine } from "../engine/index.ts";
import type { RunConfig } from "../report/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import {
  storedConfig,
  initialSource,
  initialValues,
  loadWeights,
  type Recipe,
  type ResumePoint,
  type ViTConfig,
} from "../vit/index.ts";
import { note } from "./console.ts";
import { datasetFacts, lastingSpec, runDataset } from "./datasets.ts";
import { loadResume } from "./models.ts";
import { packageVersion } from "./program.ts";
import { recipeFrom, recipeJson } from "./recipes.ts";
import { truncateMetrics } from "./run-folder.ts";
import {
  collapseSteps,
  evalEveryOf,
  modelOf,
  recipeOf,
  withRecipeDefaults,
  type TrainCommandOptions,
} from "./train-options.ts";
import { dependencyVersions } from "./versions.ts";

/** A run that is about to train, new or resumed. */
export interface TrainingJob {
  readonly folder: string;
  /** What the data set is loaded by. */
  readonly spec: string;
  readonly pretrained: string | null;
  readonly dataset: ImageDataset;
  readonly model: ViTConfig;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly evalEvery: number;
  /** Steps whose checkpoints are kept for neural-collapse curves; none: only best and last stay. */
  readonly checkpointAt: readonly number[];
  readonly initial: Awaited<ReturnType<typeof loadWeights>>["values"];
  readonly resume?: ResumePoint;
}

/** `config.json` of a new run. */
export function newConfig(
  engine: Engine,
  job: TrainingJob,
  notes: RunConfig["notes"] = {},
): RunConfig {
  const { description, kind } = engine.adapter;
  const { mean, std } = job.dataset;
  return {
    schema: "neco-webgpu/run@1",
    version: packageVersion(),
    created: new Date().toISOString(),
    adapter: { description, kind },
    versions: dependencyVersions(),
    dataset: datasetFacts(job.dataset, job.spec),
    model: { ...job.model },
    recipe: {
      ...recipeJson(job.recipe),
      evalEvery: job.evalEvery,
      checkpointAt: [...job.checkpointAt],
      pretrained: job.pretrained,
      mean: [...mean],
      std: [...std],
    },
    seed: job.seed,
    notes,
  };
}

/** Weights to start from: of a file, or fresh by the seed. */
async function startValues(
  model: ViTConfig,
  seed: number,
  pretrained: string | null,
): Promise<TrainingJob["initial"]> {
  if (pretrained === null) return initialValues(model, seed);
  const { values, report } = await loadWeights(pretrained, model, initialSource(model, seed));
  if (report.headReplaced) note(`${pretrained}: the head was replaced`);
  if (report.positionsResized !== null)
    note(
      `${pretrained}: positions resized from ${report.positionsResized.from} to ${report.positionsResized.to}`,
    );
  if (report.unknown.length > 0) note(`${pretrained}: not used: ${report.unknown.join(", ")}`);
  return values;
}

/** Pretrained weights expect three channels and pixels in [−1, 1]. */
function inputFor(dataset: ImageDataset, model: ViTConfig, isPretrained: boolean): ImageDataset {
  if (!isPretrained) return dataset;
  const channels = model.channels === 1 ? 1 : 3;
  const half = Array.from({ length: channels }, () => 0.5);
  return toGeometry(dataset, { ...dataset, channels, mean: half, std: half });
}

/**
 * A new run as the options describe it; nothing is written yet.
 * @throws UsageError if the options make no sense.
 * @throws DataError if the data set is absent or cannot be trained on.
 */
export async function newJob(given: TrainCommandOptions): Promise<TrainingJob> {
  const options = withRecipeDefaults(given);
  if (options.dataset === undefined)
    throw new UsageError(
      "give --dataset NAME or a folder (neco data list shows names), or --resume RUN",
    );
  const loaded = await loadDataset(options.dataset);
  const { train: trainSplit } = loaded.splits;
  if (trainSplit.count === 0)
    throw new DataError(`${loaded.name} has no training images: choose another --dataset`);
  if (loaded.classes.length < 2)
    throw new DataError(
      `${loaded.name} has ${loaded.classes.length} class${loaded.classes.length === 1 ? "" : "es"}: a classifier needs at least 2, so name more of them or sort images into one folder per class`,
    );
  const pretrained = options.fromScratch === true ? null : (options.pretrained ?? null);
  const model = modelOf(options, loaded);
  const recipe = recipeOf(options, loaded, trainSplit.count);
  const dataset = inputFor(loaded, model, pretrained !== null);
  const folder = options.out ?? `runs/${loaded.name.replace(/[^\w.-]+/g, "-")}`;
  const isTracked = options.trackNc ?? options.recipe === "collapse";
  return {
    folder,
    spec: await lastingSpec(options.dataset),
    pretrained: pretrained === null ? null : resolve(pretrained),
    dataset,
    model,
    recipe,
    seed: options.seed,
    evalEvery: evalEveryOf(options, recipe),
    checkpointAt: isTracked ? collapseSteps(recipe.steps) : [],
    initial: await startValues(model, options.seed, pretrained),
  };
}

/** A run as its folder describes it, from its newest whole checkpoint; from the start if it has none. */
export async function resumedJob(folder: string, config: RunConfig): Promise<TrainingJob> {
  const { recipe, seed, dataset } = config;
  const resume = await loadResume(folder);
  await truncateMetrics(folder, resume?.step ?? 0);
  const model = resume?.config ?? storedConfig(config.model);
  const pretrained = typeof recipe["pretrained"] === "string" ? recipe["pretrained"] : null;
  const steps = recipe["checkpointAt"];
  return {
    folder,
    spec: dataset.spec,
    pretrained,
    dataset: await runDataset(config),
    model,
    recipe: recipeFrom(recipe),
    seed,
    evalEvery: Number(recipe["evalEvery"]),
    checkpointAt: Array.isArray(steps) ? steps.map(Number) : [],
    initial: resume?.values ?? (await startValues(model, seed, pretrained)),
    ...(resume === null ? {} : { resume }),
  };
}
