/** `neco train`: fine-tunes or trains from scratch into a run folder, resumable to the same bits. */
import type { Command } from "commander";
import { needHalf } from "../engine/index.ts";
import type { Engine } from "../engine/index.ts";
import { trainRun, type TrainProgress, type TrainResult } from "../vit/index.ts";
import { duration, note, print, startProgress } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import type { EngineChoice } from "./engine.ts";
import { interruptible } from "./interrupt.ts";
import { newConfig, newJob, resumedJob, type TrainingJob } from "./job.ts";
import { namedFile } from "./options.ts";
import { createRun, openRun } from "./run-folder.ts";
import { addTrainOptions } from "./train-flags.ts";
import type { TrainCommandOptions } from "./train-options.ts";
import { folderStore } from "./train-store.ts";

/** Milliseconds of training that a killed run may lose. */
const SAVE_EVERY = 120_000;

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

function progressWords({ loss, accuracy, imagesPerSecond, validation }: TrainProgress): string {
  return [
    `loss ${loss.toFixed(4)}`,
    `accuracy ${percent(accuracy)}`,
    ...(validation === null ? [] : [`val ${percent(validation.accuracy)}`]),
    `${imagesPerSecond.toFixed(0)} images/s`,
  ].join(", ");
}

/** Trains a job with a progress bar; Ctrl-C saves a checkpoint and stops. */
export function train(engine: Engine, job: TrainingJob): Promise<TrainResult> {
  const { folder, recipe, checkpointAt, resume } = job;
  const progress = startProgress("training", recipe.steps);
  const tracked = new Set(checkpointAt);
  // Curves have the planned steps alone, wherever a run was interrupted or saved in between.
  const keep = (step: number): boolean =>
    tracked.size > 0 && (tracked.has(step) || step % job.evalEvery === 0);
  return interruptible(async (signal) => {
    try {
      return await trainRun({
        engine,
        dataset: job.dataset,
        config: job.model,
        recipe,
        initial: job.initial,
        seed: job.seed,
        evalEvery: job.evalEvery,
        store: folderStore(folder, keep, resume?.best?.step ?? null),
        signal,
        checkpointAt: tracked,
        saveEvery: SAVE_EVERY,
        ...(resume === undefined ? {} : { resume }),
        onProgress: (state) => {
          progress.update(state.step, progressWords(state), state.etaSeconds);
        },
      });
    } finally {
      progress.stop();
    }
  });
}

/** Makes the run's folder, or says where a resumed run stands; then trains and says how it ended. */
export async function startTraining(
  engine: Engine,
  job: TrainingJob,
  { isNew, notes }: { isNew: boolean; notes?: Parameters<typeof newConfig>[2] },
): Promise<TrainResult> {
  const start = performance.now();
  if (job.recipe.precision === "f16") needHalf(engine.caps); // before there is a folder
  if (isNew) await createRun(job.folder, newConfig(engine, job, notes));
  else note(`going on from step ${job.resume?.step ?? 0} of ${job.recipe.steps}`);
  const result = await train(engine, job);
  print(endText(job.folder, result, (performance.now() - start) / 1000));
  return result;
}

/** How a run ended. */
function endText(folder: string, { best, validation, test }: TrainResult, seconds: number): string {
  const parts = [
    ...(validation === null ? [] : [`validation accuracy ${percent(validation.accuracy)}`]),
    ...(best === null ? [] : [`best ${percent(best.accuracy)} at step ${best.step}`]),
    ...(test === null ? [] : [`test accuracy ${percent(test.accuracy)} (n = ${test.count})`]),
  ];
  return `trained in ${duration(seconds)}: ${parts.join(", ")}\nrun: ${folder}`;
}

async function runTrain(options: TrainCommandOptions, choice: EngineChoice): Promise<void> {
  // Wrong options and absent data must not wait for an adapter.
  const isNew = options.resume === undefined;
  const job =
    options.resume === undefined
      ? await newJob(options)
      : await resumedJob(options.resume, await openRun(options.resume));
  await withEngine({ ...choice, picks: job.resume?.picks }, async (engine) => {
    await startTraining(engine, job, { isNew });
    if (job.checkpointAt.length === 0) return;
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
    (options: TrainCommandOptions, command: Command) => runTrain(options, engineChoice(command)),
  );
}
