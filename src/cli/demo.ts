/** `neco demo`: the whole road on built-in data, from training to the report. */
import type { Command } from "commander";
import { measureFma } from "../../bench/probes.ts";
import { describeDatasets } from "../data/registry.ts";
import type { Engine } from "../engine/index.ts";
import { scores } from "../neco/registry.ts";
import { needsImages, needsPeers } from "../neco/score.ts";
import { NecoError, UsageError } from "../util/errors.ts";
import { duration, note, print } from "./console.ts";
import { fetchDataset } from "./data-fetch.ts";
import { engineChoice, withEngine } from "./engine.ts";
import type { EngineChoice } from "./engine.ts";
import { newJob, resumedJob, type TrainingJob } from "./job.ts";
import { ncTable } from "./nc.ts";
import { evaluateSets } from "./ood.ts";
import { publish } from "./ood-outputs.ts";
import { namedFile, natural, type NamedFile } from "./options.ts";
import { PRESETS, presetFor, presetNames, type DemoPreset } from "./presets.ts";
import { writeReport } from "./report.ts";
import { ncOfRun } from "./run-collapse.ts";
import { openRunSets } from "./run-features.ts";
import { RUN_FILES, runPath, openRun } from "./run-folder.ts";
import { saveRunOod } from "./run-results.ts";
import { startTraining } from "./train.ts";
import { exists } from "#platform";

const KNOWN = "mnist-10k:0-7"; // 8 of 10 digits are trained on
const NEAR = "digits-8-9=mnist-10k:8-9"; // real, same source, never seen
const FAR = ["fashion-mnist", "patches", "icons"] as const;
const CONTROL = "noise";
const TITLE = "NECO demo: digits 0 to 7 known, 8 and 9 held out";

interface DemoOptions {
  readonly preset?: string;
  readonly out: string;
  readonly seed: number;
  readonly offline?: boolean;
}

/** Far-OOD sets that are on this machine, fetched if need be; the others are left out, aloud. */
async function farSets(isOffline: boolean): Promise<string[]> {
  const entries = describeDatasets();
  const present: string[] = [];
  for (const name of FAR) {
    const entry = entries.find((candidate) => candidate.name === name);
    if (entry === undefined) continue;
    if (!(await entry.isPresent()) && !isOffline)
      await fetchDataset(name, { log: note }).catch((error: unknown) => {
        if (!(error instanceof NecoError)) throw error;
        note(`${name} is left out: ${error.message}`);
      });
    if (await entry.isPresent()) present.push(name);
    else if (isOffline) note(`${name} is left out: it is not here, and --offline forbids fetching`);
  }
  return present;
}

/** The preset by name, or by the measured rate; announced either way. */
async function choosePreset(engine: Engine, wanted: string | undefined): Promise<DemoPreset> {
  if (wanted !== undefined) {
    const named = PRESETS.find(({ name }) => name === wanted);
    if (named === undefined)
      throw new UsageError(`unknown preset ${wanted}: choose from ${presetNames.join(", ")}`);
    note(`preset ${named.name}: ${named.about}`);
    return named;
  }
  const { rate } = await measureFma(engine, () => performance.now());
  const preset = presetFor(rate);
  note(`measured ${rate.toFixed(1)} GFLOP/s: preset ${preset.name}, ${preset.about}`);
  return preset;
}

async function demoJob(preset: DemoPreset, folder: string, seed: number): Promise<TrainingJob> {
  const { model, epochs, batchSize, learningRate, evaluations } = preset;
  const options = { dataset: KNOWN, model, epochs, batchSize, learningRate, seed, out: folder };
  const job = await newJob(options);
  const { steps } = job.recipe;
  return {
    ...job,
    evalEvery: Math.ceil(steps / evaluations),
    checkpointAt: evaluations > 2 ? [0, Math.ceil(steps / (5 * evaluations))] : [0],
  };
}

/** An unfinished demo with the preset that it was started by. */
async function resumedDemo(
  folder: string,
): Promise<{ job: TrainingJob; preset: string | undefined }> {
  const config = await openRun(folder);
  const preset = config.notes?.["preset"];
  return {
    job: await resumedJob(folder, config),
    preset: typeof preset === "string" ? preset : undefined,
  };
}

/** A folder for a new run: a finished demo is kept, an unfinished one is gone on with. */
async function demoFolder(out: string): Promise<{ folder: string; isNew: boolean }> {
  for (let attempt = 1; ; attempt++) {
    const folder = attempt === 1 ? out : `${out}-${attempt}`;
    if (!(await exists(runPath(folder, "config")))) return { folder, isNew: true };
    if (!(await exists(runPath(folder, "report")))) return { folder, isNew: false };
  }
}

/** `NAME` or `NAME=DATASET` with at most that many images. */
function limited(set: string, limit: number | null): NamedFile {
  const { name, file } = namedFile(set);
  return { name, file: limit === null ? file : `${file ?? name}#${limit}` };
}

async function evaluateDemo(
  engine: Engine,
  folder: string,
  { far, oodLimit }: { far: readonly string[]; oodLimit: number | null },
): Promise<void> {
  const ood = [NEAR, ...far, CONTROL].map((set) => limited(set, oodLimit));
  const near = [namedFile(NEAR).name];
  const sets = await openRunSets(engine, folder, { step: "best", ood, near, far });
  try {
    // What looks into the network takes minutes on two cores: `neco ood --run` has it.
    const ofFeatures = scores
      .filter((score) => !needsImages(score) && !needsPeers(score))
      .map(({ name }) => name);
    const evaluation = await evaluateSets(engine, sets, ofFeatures, { options: {} });
    await saveRunOod(engine, folder, { sets, evaluation, sweep: null });
    const groups = Object.fromEntries(sets.ood.map(({ source, group }) => [source.name, group]));
    await publish(evaluation, groups, {});
  } finally {
    await sets.close();
  }
  // Fashion-MNIST has 10,000 images: too many for every checkpoint.
  const small = ood.filter(({ name }) => name !== "fashion-mnist");
  const nc = await ncOfRun(engine, folder, small);
  print(`\nNeural collapse of the training features\n${ncTable(nc.steps ?? [nc])}`);
}

async function runDemo(options: DemoOptions, choice: EngineChoice): Promise<void> {
  const start = performance.now();
  const far = await farSets(options.offline === true);
  const { folder, isNew } = await demoFolder(options.out);
  const resumed = isNew ? null : await resumedDemo(folder);
  await withEngine({ ...choice, picks: resumed?.job.resume?.picks }, async (engine) => {
    const preset = await choosePreset(engine, resumed?.preset ?? options.preset);
    const job = resumed?.job ?? (await demoJob(preset, folder, options.seed));
    await startTraining(engine, job, { isNew, notes: { preset: preset.name } });
    await evaluateDemo(engine, folder, { far, oodLimit: preset.oodLimit });
  });
  const report = await writeReport(folder, { title: TITLE });
  const seconds = (performance.now() - start) / 1000;
  print(`\ndone in ${duration(seconds)}\nreport: ${report} (open it in a browser)`);
}

const EXAMPLES = `
Presets (picked by the adapter's measured rate unless given):
${PRESETS.map(({ name, about }) => `  ${name.padEnd(11)} ${about}`).join("\n")}

An interrupted demo goes on where it stopped; a finished one is kept, and ${RUN_FILES.report} stays in its folder.

Examples:
  neco demo
  neco demo --preset demo-small --out runs/quick`;

/** Adds `neco demo`. */
export function addDemo(program: Command): void {
  program
    .command("demo")
    .description(
      "the whole road on built-in digits: train, extract, neural collapse, OOD detection, report",
    )
    .option("--preset <name>", `size: ${presetNames.join(", ")}`)
    .option("--out <folder>", "the run's folder", "runs/demo")
    .option("--seed <n>", "of weights, order and augmentation", natural, 42)
    .option("--offline", "fetch nothing; OOD sets that are not here are left out")
    .addHelpText("after", EXAMPLES)
    .action((options: DemoOptions, command: Command) => runDemo(options, engineChoice(command)));
}
