/** `neco nc`: neural collapse of a run's checkpoints or of anybody's features. */
import type { Command } from "commander";
import type { FeatureSource } from "../io/index.ts";
import { assertFit, assertNames } from "../neco/checkSets.ts";
import { neuralCollapse, type NcJson } from "../neco/nc.ts";
import { missingClasses } from "../neco/trainWarnings.ts";
import { figure, percent, textTable, type NcMetrics } from "../report/index.ts";
import { UsageError } from "../util/errors.ts";
import { note, print, writeJson } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import type { EngineChoice } from "./engine.ts";
import { fileOfSet, findHeadIn, OpenFiles } from "./feature-sets.ts";
import { append, namedFile, natural, numberIn, oneOf } from "./options.ts";
import { checkOutputs } from "./outputs.ts";
import type { NcSettings } from "./run-collapse.ts";

/** Options of `neco nc` as commander gives them. */
export interface NcOptions {
  readonly run?: string;
  readonly features?: string;
  readonly head?: string;
  readonly ood?: readonly string[];
  readonly rcond?: number;
  /** A weight decay, or true for the usual one. */
  readonly mse?: number | true;
  readonly loss?: "ce" | "mse";
  /** Of the checkpoint that the features are of. */
  readonly step?: number;
  readonly weightDecay?: number;
  readonly json?: string;
}

/** The Neural Collapse notebook's weight decay. */
const WEIGHT_DECAY = 5e-4;

/** What the options ask of every checkpoint. */
const wanted = ({ rcond, mse, loss, weightDecay = WEIGHT_DECAY }: NcOptions): NcSettings => ({
  ...(loss === undefined ? {} : { loss: { kind: loss, weightDecay } }),
  ...(rcond === undefined ? {} : { rcond }),
  ...(mse === undefined ? {} : { mseWeightDecay: mse === true ? WEIGHT_DECAY : mse }),
});

/** NC1–NC5 as a table, one row per checkpoint. */
export function ncTable(rows: readonly (NcMetrics & { readonly step?: number })[]): string {
  const sets = Object.keys(rows[0]?.nc5 ?? {});
  const hasLoss = rows.some(({ loss }) => loss !== undefined);
  const hasParts = rows.some(({ mse }) => mse !== undefined);
  const head = [
    "step",
    "accuracy %",
    "NC1",
    "NC2 norms",
    "NC2 angles",
    "NC3",
    "NC4",
    ...sets.map((set) => `NC5 ${set}`),
    ...(hasLoss ? ["loss", "+ penalty"] : []),
    ...(hasParts ? ["LNC1", "LNC2/3", "L⊥"] : []),
  ];
  const cells = rows.map((row) => [
    row.step === undefined ? "–" : String(row.step),
    percent(row.accuracy),
    ...[
      row.nc1,
      row.nc2.equinorm_means,
      row.nc2.equiangularity_means,
      row.nc3,
      row.nc4,
      ...sets.map((set) => row.nc5[set] ?? Number.NaN),
      ...(row.loss ? [row.loss.mean, row.loss.total] : []),
      ...(row.mse ? [row.mse.lnc1, row.mse.lnc2_3, row.mse.l_perp] : []),
    ].map(figure),
  ]);
  return textTable(head, cells);
}

async function ncOfFiles(options: NcOptions, choice: EngineChoice): Promise<NcJson> {
  const { features, head: headFile, ood = [], step } = options;
  if (features === undefined)
    throw new UsageError("give --run DIR, or feature files: --features F --head F");
  const named = ood
    .map(namedFile)
    .map((set) => ({ name: set.name, file: fileOfSet(set, "--ood") }));
  const files = new OpenFiles();
  try {
    const source = await files.open(features, "features");
    const weights = await findHeadIn(headFile, [features], source.dim);
    if (weights === null)
      throw new UsageError(`${features} holds no head: give --head F with W [C, D] (and b [C])`);
    const missing = missingClasses("features", source.labels ?? [], weights.classes);
    if (source.labels !== null && missing !== null) note(`warning: ${missing}`);
    const sets: FeatureSource[] = [];
    for (const { name, file } of named) sets.push(await files.open(file, name));
    assertNames(sets);
    assertFit({ base: source, head: weights }, sets, "OOD set");
    return await withEngine(choice, async (engine) => {
      const input = {
        features: source,
        weights,
        ood: sets,
        onWarning: (warning: string) => {
          note(`warning: ${warning}`);
        },
        ...wanted(options),
      };
      const metrics = await neuralCollapse(engine, input);
      const adapter = engine.adapter.description;
      const json: NcJson = { schema: "neco-webgpu/nc@1", adapter, ...metrics };
      return step === undefined ? json : { ...json, steps: [{ step, ...metrics }] };
    });
  } finally {
    await files.close();
  }
}

async function runNc(options: NcOptions, choice: EngineChoice): Promise<void> {
  if (options.weightDecay !== undefined && options.loss === undefined)
    throw new UsageError("--weight-decay is of the loss's penalty: add --loss ce or --loss mse");
  if (options.step !== undefined && options.run !== undefined)
    throw new UsageError("--step is for feature files: a run knows the steps of its checkpoints");
  await checkOutputs([options.json]);
  let json: NcJson;
  if (options.run === undefined) json = await ncOfFiles(options, choice);
  else {
    const { run } = options;
    const { ncOfRun } = await import("./run-collapse.ts");
    const sets = (options.ood ?? []).map(namedFile);
    json = await withEngine(choice, (engine) => ncOfRun(engine, run, sets, wanted(options)));
  }
  if (options.json !== undefined) await writeJson(options.json, json);
  if (options.json !== "-") print(ncTable(json.steps ?? [json]));
}

const EXAMPLES = `
Examples:
  neco nc --features train.npz --head head.npz --ood svhn=svhn.npz --json nc.json
  neco nc --run runs/digits --ood fashion-mnist`;

/** Adds `neco nc`. */
export function addNc(program: Command): void {
  program
    .command("nc")
    .description("measure neural collapse (NC1–NC5): every checkpoint of a run, or feature files")
    .option("--run <folder>", "the run; features that are missing are extracted and kept")
    .option("--features <file>", "training features with labels")
    .option("--head <file>", "W [C, D] and b [C]; default: looked for in the feature file")
    .option(
      "--ood <name=file>",
      "an OOD set for NC5, repeatable: NAME=FILE of features; with --run also NAME or NAME=DATASET",
      append,
    )
    .option(
      "--step <n>",
      "the training step of these features: neco report draws curves over several --json files",
      natural,
    )
    .option(
      "--rcond <x>",
      "eigenvalues below x of the largest count as zero",
      numberIn({ min: 0, max: 1 }),
    )
    .option(
      "--mse [weight-decay]",
      "also the parts of the squared error under this weight decay (5e-4)",
      numberIn({ min: 1e-12 }),
    )
    .option(
      "--loss <ce|mse>",
      "also the mean loss and ½ · weight decay · Σ‖θ‖², of all parameters of a run or of the head",
      (text) => oneOf("ce", "mse")(text.toLowerCase()),
    )
    .option("--weight-decay <x>", "of --loss (5e-4)", numberIn({ min: 0 }))
    .option("--json <file>", "write the metrics; - for standard output")
    .addHelpText("after", EXAMPLES)
    .action((options: NcOptions, command: Command) => runNc(options, engineChoice(command)));
}
