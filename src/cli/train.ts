/** `neco train`: fine-tunes or trains from scratch into a run folder, resumable to the same bits. */
import type { Command } from "commander";
import { toGeometry } from "../data/convert.ts";
import type { ImageDataset } from "../data/dataset.ts";
import { loadDataset } from "../data/registry.ts";
import type { Engine } from "../engine/index.ts";
import type { RunConfig } from "../report/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import {
  initialValues,
  loadWeights,
  trainRun,
  type Recipe,
  type ResumePoint,
  type TrainResult,
  type ViTConfig,
} from "../vit/index.ts";
import { duration, note, print, startProgress } from "./console.ts";
import { datasetFacts, runDataset } from "./datasets.ts";
import { adapterOption, withEngine } from "./engine.ts";
import { interruptible } from "./interrupt.ts";
import { loadResume } from "./models.ts";
import { namedFile } from "./options.ts";
import { recipeFrom, recipeJson } from "./recipes.ts";
import { packageVersion } from "./program.ts";
import { createRun, listSteps, openRun, truncateMetrics } from "./run-folder.ts";
import { addTrainOptions } from "./train-flags.ts";
import {
  collapseSteps,
  evalEveryOf,
  modelOf,
  recipeOf,
  type TrainCommandOptions,
} from "./train-options.ts";
import { folderStore } from "./train-store.ts";
import { dependencyVersions } from "./versions.ts";

/** A run that is about to train, new or resumed. */
export interface TrainingJob {
  readonly folder: string;
  readonly dataset: ImageDataset;
  readonly model: ViTConfig;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly evalEvery: number;
  readonly trackNc: boolean;
  readonly initial: Awaited<ReturnType<typeof loadWeights>>["values"];
  readonly resume?: ResumePoint;
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

/** Trains a job with a progress bar; Ctrl-C saves a checkpoint and stops. */
export function train(engine: Engine, job: TrainingJob): Promise<TrainResult> {
  const { folder, recipe, dataset, model, trackNc, resume } = job;
  const progress = startProgress("training", recipe.steps);
  const store = folderStore(folder, trackNc ? "all" : "best-and-last", resume?.best?.step ?? null);
  return interruptible(async (signal) => {
    try {
      return await trainRun({
        engine,
        dataset,
        config: model,
        recipe,
        initial: job.initial,
        seed: job.seed,
        evalEvery: job.evalEvery,
        store,
        signal,
        ...(trackNc ? { checkpointAt: collapseSteps(recipe.steps) } : {}),
        ...(resume === undefined ? {} : { resume }),
        onProgress: ({ step, loss, accuracy, imagesPerSecond, etaSeconds, validation }) => {
          const words = [
            `loss ${loss.toFixed(4)}`,
            `accuracy ${percent(accuracy)}`,
            ...(validation === null ? [] : [`val ${percent(validation.accuracy)}`]),
            `${imagesPerSecond.toFixed(0)} images/s`,
          ];
          progress.update(step, words.join(", "), etaSeconds);
        },
      });
    } finally {
      progress.stop();
    }
  });
}

/** `config.json` of a new run. */
export function newConfig(
  engine: Engine,
  job: Pick<TrainingJob, "dataset" | "model" | "recipe" | "seed" | "evalEvery" | "trackNc">,
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
    dataset: datasetFacts(job.dataset),
    model: { ...job.model },
    recipe: {
      ...recipeJson(job.recipe),
      evalEvery: job.evalEvery,
      trackNc: job.trackNc,
      mean: [...mean],
      std: [...std],
    },
    seed: job.seed,
    notes,
  };
}

/** Weights to start from: of a file, or fresh by the seed. */
async function startValues(
  options: TrainCommandOptions,
  model: ViTConfig,
): Promise<TrainingJob["initial"]> {
  const fresh = initialValues(model, options.seed);
  if (options.pretrained === undefined || options.fromScratch === true) return fresh;
  const { values, report } = await loadWeights(options.pretrained, model, fresh);
  if (report.headReplaced) note(`${options.pretrained}: the head was replaced`);
  if (report.positionsResized !== null)
    note(
      `${options.pretrained}: positions resized from ${report.positionsResized.from} to ${report.positionsResized.to}`,
    );
  if (report.unknown.length > 0)
    note(`${options.pretrained}: not used: ${report.unknown.join(", ")}`);
  return values;
}

/** Pretrained weights expect three channels and pixels in [−1, 1]. */
function inputFor(dataset: ImageDataset, model: ViTConfig, isPretrained: boolean): ImageDataset {
  if (!isPretrained) return dataset;
  const channels = model.channels === 1 ? 1 : 3;
  const half = Array.from({ length: channels }, () => 0.5);
  return toGeometry(dataset, { ...dataset, channels, mean: half, std: half });
}

async function newJob(options: TrainCommandOptions): Promise<TrainingJob> {
  if (options.dataset === undefined)
    throw new UsageError(
      "give --dataset NAME or a folder (neco data list shows names), or --resume RUN",
    );
  const loaded = await loadDataset(options.dataset);
  const { train: trainSplit } = loaded.splits;
  if (trainSplit.count === 0 || loaded.classes.length < 2)
    throw new DataError(
      `${loaded.name} cannot be trained on: it has ${trainSplit.count} training images in ${loaded.classes.length} classes`,
    );
  const model = modelOf(options, loaded);
  const recipe = recipeOf(options, trainSplit.count);
  const dataset = inputFor(loaded, model, options.pretrained !== undefined);
  const folder = options.out ?? `runs/${loaded.name.replace(/[^\w.-]+/g, "-")}`;
  return {
    folder,
    dataset,
    model,
    recipe,
    seed: options.seed,
    evalEvery: evalEveryOf(options, recipe),
    trackNc: options.trackNc ?? options.recipe === "collapse",
    initial: await startValues(options, model),
  };
}

/** A run as its folder describes it, from its newest whole checkpoint; the beginning if it has none. */
async function resumedJob(folder: string, config: RunConfig): Promise<TrainingJob> {
  const steps = await listSteps(folder);
  const resume = await loadResume(folder, steps);
  await truncateMetrics(folder, resume.step);
  const { recipe } = config;
  return {
    folder,
    dataset: await runDataset(config),
    model: resume.config,
    recipe: recipeFrom(recipe),
    seed: config.seed,
    evalEvery: Number(recipe["evalEvery"]),
    trackNc: recipe["trackNc"] === true,
    initial: resume.values,
    resume,
  };
}

/** Says how a run ended. */
export function reportEnd(
  folder: string,
  { best, validation, test }: TrainResult,
  seconds: number,
): void {
  const parts = [
    ...(validation === null ? [] : [`validation accuracy ${percent(validation.accuracy)}`]),
    ...(best === null ? [] : [`best ${percent(best.accuracy)} at step ${best.step}`]),
    ...(test === null ? [] : [`test accuracy ${percent(test.accuracy)} (n = ${test.count})`]),
  ];
  print(`trained in ${duration(seconds)}: ${parts.join(", ")}\nrun: ${folder}`);
}

async function runTrain(options: TrainCommandOptions, adapter: string | undefined): Promise<void> {
  // Wrong options and absent data must not wait for an adapter.
  const job =
    options.resume === undefined
      ? await newJob(options)
      : await resumedJob(options.resume, await openRun(options.resume));
  const { resume } = job;
  await withEngine({ adapter, picks: resume?.picks }, async (engine) => {
    const start = performance.now();
    if (resume === undefined) await createRun(job.folder, newConfig(engine, job));
    else note(`going on from step ${resume.step} of ${job.recipe.steps}`);
    reportEnd(job.folder, await train(engine, job), (performance.now() - start) / 1000);
    if (!job.trackNc) return;
    const [{ ncOfRun }, { ncTable }] = await Promise.all([
      import("./run-collapse.ts"),
      import("./nc.ts"),
    ]);
    const nc = await ncOfRun(engine, job.folder, (options.ood ?? []).map(namedFile));
    print(ncTable(nc.steps ?? [nc]));
  });
}

/** Adds `neco train`. */
export function addTrain(program: Command): void {
  addTrainOptions(program.command("train")).action(
    (options: TrainCommandOptions, command: Command) => runTrain(options, adapterOption(command)),
  );
}
