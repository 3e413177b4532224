/** `neco ood`: every method on every OOD set, from a run or from anybody's feature files. */
import type { Command } from "commander";
import type { Engine } from "../engine/index.ts";
import { evaluateOod, type EvaluateInput, type Evaluation } from "../neco/evaluate.ts";
import type { ScoreOptions } from "../neco/options.ts";
import { chooseScores } from "../neco/registry.ts";
import { needsImages } from "../neco/score.ts";
import { UsageError } from "../util/errors.ts";
import { print } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import { assertEnsemble } from "./ensemble-usage.ts";
import type { EngineChoice } from "./engine.ts";
import { methodParams } from "./method-params.ts";
import { openFeatureSets, type FeatureSets, type GroupOptions } from "./feature-sets.ts";
import { publish, sweepText, type OodOutputs } from "./ood-outputs.ts";
import { searchOptions } from "./ood-search.ts";
import { sweepOf } from "./ood-sweep.ts";
import { timingsFile } from "./ood-timings.ts";
import { append, collect, list, namedFile, natural, numberIn, oneOf, positive } from "./options.ts";
import { startProgress } from "./console.ts";

/** Options of `neco ood` as commander gives them. */
export interface OodOptions extends OodOutputs, GroupOptions {
  readonly run?: string;
  readonly step: string;
  readonly ood?: readonly string[];
  readonly idTrain?: string;
  readonly idTest?: string;
  readonly idVal?: string;
  readonly head?: string;
  readonly methods: readonly string[];
  readonly preset: "neco" | "vim" | "openood";
  readonly necoDim: number | "auto" | "classes" | "sweep";
  readonly necoMode: "official" | "paper" | "paper-centred";
  readonly necoDenominator?: "standardised" | "raw";
  readonly necoMaxLogit: "on" | "off";
  readonly principalDim?: number;
  readonly rcond?: number;
  readonly search?: boolean;
  readonly oodVal?: readonly string[];
  readonly param?: readonly string[];
  /** Replicates, or true for the default number. */
  readonly bootstrap?: number | true;
  readonly bootstrapSeed?: number;
  readonly delong?: string;
  readonly timings?: string;
  /** Folders of further runs. */
  readonly ensemble?: readonly string[];
}

const share = numberIn({ min: 0, max: 1 });

/** `--neco-dim`: a number or one of three words. */
export const necoDim = (text: string): number | "auto" | "classes" | "sweep" =>
  /^\d/.test(text) ? positive(text) : oneOf("auto", "classes", "sweep")(text);

/** The options of the scores; a sweep is shown beside, so the tables keep the default d. */
export const scoreOptionsOf = (options: OodOptions): Partial<ScoreOptions> => ({
  preset: options.preset,
  necoDim: options.necoDim === "sweep" ? "auto" : options.necoDim,
  necoMode: options.necoMode,
  necoMaxLogit: options.necoMaxLogit === "on",
  ...(options.necoDenominator === undefined ? {} : { necoDenominator: options.necoDenominator }),
  ...(options.principalDim === undefined ? {} : { principalDim: options.principalDim }),
  ...(options.rcond === undefined ? {} : { rcond: options.rcond }),
  methodParams: methodParams(options.param ?? []),
});

const methodsOf = ({ methods }: OodOptions): "all" | readonly string[] =>
  methods.includes("all") ? "all" : methods;

/** What {@link evaluateSets} computes beside the figures. */
export type Uncertainty = Pick<EvaluateInput, "bootstrap" | "delong" | "time">;

const uncertaintyOf = ({ bootstrap, bootstrapSeed, delong }: OodOptions): Uncertainty => ({
  delong,
  bootstrap:
    bootstrap === undefined
      ? undefined
      : {
          ...(bootstrap === true ? {} : { replicates: bootstrap }),
          ...(bootstrapSeed === undefined ? {} : { seed: bootstrapSeed }),
        },
});

/** Runs the evaluation with a progress bar per stage. */
export async function evaluateSets(
  engine: Engine,
  sets: FeatureSets,
  methods: "all" | readonly string[],
  { options, ...uncertainty }: Uncertainty & { readonly options: Partial<ScoreOptions> },
): Promise<Evaluation> {
  const looksInside = chooseScores(methods).some(needsImages);
  let stage = "";
  let progress: ReturnType<typeof startProgress> | null = null;
  try {
    return await evaluateOod({
      engine,
      train: sets.train,
      id: sets.test,
      head: sets.head,
      ood: sets.ood,
      methods,
      options,
      model: looksInside ? sets.network?.() : null,
      validation: sets.val,
      ...uncertainty,
      cache: sets.cache,
      onProgress: (name, done, total) => {
        if (name !== stage) progress?.stop();
        if (name !== stage || progress === null) progress = startProgress(name.padEnd(14), total);
        stage = name;
        progress.update(done);
      },
    });
  } finally {
    // The closure above assigns it, which the compiler cannot see.
    (progress as ReturnType<typeof startProgress> | null)?.stop();
  }
}

/**
 * The feature files that the options name.
 * @throws UsageError if one is missing.
 */
function filesOf(options: OodOptions): Parameters<typeof openFeatureSets>[0] {
  const { idTrain, idTest, ood = [] } = options;
  if (idTrain === undefined || idTest === undefined)
    throw new UsageError("give --run DIR, or feature files: --id-train F --id-test F --ood NAME=F");
  if (ood.length === 0) throw new UsageError("no OOD set: give at least one --ood NAME=FILE");
  return { ...options, idTrain, idTest, ood: ood.map(namedFile) };
}

async function openSets(engine: Engine, folder: string, options: OodOptions): Promise<FeatureSets> {
  const { openRunSets } = await import("./run-features.ts");
  const ood = (options.ood ?? []).map(namedFile);
  const sets = await openRunSets(engine, folder, { ...options, ood });
  const { ensemble: folders = [] } = options;
  if (folders.length === 0) return sets;
  const { withEnsemble } = await import("./ensemble.ts");
  return withEnsemble(engine, sets, folders);
}

async function runOod(options: OodOptions, choice: EngineChoice): Promise<void> {
  if (
    options.search === true &&
    ((options.idVal === undefined && options.run === undefined) ||
      (options.oodVal ?? []).length === 0)
  )
    throw new UsageError(
      "--search needs sets that are not the test sets: --id-val F (a run has its own) and --ood-val NAME=F",
    );
  assertEnsemble(options, methodsOf(options));
  // Wrong usage and absent files must not wait for an adapter.
  const wanted = scoreOptionsOf(options);
  const opened = options.run === undefined ? await openFeatureSets(filesOf(options)) : null;
  await withEngine(choice, async (engine) => {
    const sets = opened ?? (await openSets(engine, options.run ?? ".", options));
    try {
      const searched =
        options.search === true
          ? await searchOptions(engine, sets, {
              methods: methodsOf(options),
              oodVal: (options.oodVal ?? []).map(namedFile),
              wanted,
            })
          : wanted;
      const timings = timingsFile(options.timings);
      const evaluation = await evaluateSets(engine, sets, methodsOf(options), {
        ...uncertaintyOf(options),
        options: searched,
        time: timings.time,
      });
      await timings.save(engine);
      const groups = Object.fromEntries(sets.ood.map(({ source, group }) => [source.name, group]));
      await publish(evaluation, groups, options);
      const sweep = options.necoDim === "sweep" ? await sweepOf(engine, sets, evaluation) : null;
      if (sweep !== null && options.json !== "-") print(`\n${sweepText(sweep)}`);
      if (options.run !== undefined) {
        const { saveRunOod } = await import("./run-results.ts");
        await saveRunOod(engine, options.run, { sets, evaluation, sweep });
      }
    } finally {
      await sets.close();
    }
  });
}

const EXAMPLES = `
Examples:
  neco ood --id-train train.npz --id-test test.npz --head head.npz --ood svhn=svhn.npz --json ood.json
  neco ood --run runs/digits --ood fashion-mnist --ood digits-8-9=mnist-10k:8-9 --near digits-8-9`;

function addSetOptions(command: Command): Command {
  const own = "repeatable: NAME=FILE of features; with --run also NAME or NAME=DATASET";
  return command
    .option("--run <folder>", "the run; features that are missing are extracted and kept")
    .option("--ensemble <folder>", "a further run, for the method ensemble; repeatable", append)
    .option("--step <n>", "checkpoint of the run: a number, best or last", "best")
    .option("--ood <name=file>", `an OOD set, ${own}`, append)
    .option("--id-train <file>", "ID training features: .npz, .safetensors or the reference's .csv")
    .option("--id-test <file>", "ID test features")
    .option("--id-val <file>", "ID validation features, for --search")
    .option("--head <file>", "W [C, D] and b [C]; default: looked for in the feature files")
    .option("--near <names>", "OOD sets to average as near", collect)
    .option("--far <names>", "OOD sets to average as far", collect)
    .option("--control <names>", "OOD sets that enter no average, such as noise", collect);
}

function addScoreOptions(command: Command): Command {
  const modes = ["official", "paper", "paper-centred"] as const;
  const presets = ["neco", "vim", "openood"] as const;
  const dims = "auto (smallest d with 90 % of the variance), a number, classes, or sweep";
  return command
    .option("--methods <names>", "all, or names by commas", list, ["all"])
    .option("--preset <name>", `whose defaults: ${presets.join(", ")}`, oneOf(...presets), "neco")
    .option("--neco-dim <d>", dims, necoDim, "auto")
    .option("--neco-mode <mode>", modes.join(", "), oneOf(...modes), "official")
    .option("--neco-denominator <kind>", "standardised or raw", oneOf("standardised", "raw"))
    .option("--neco-max-logit <on|off>", "multiply by the largest logit", oneOf("on", "off"), "on")
    .option("--principal-dim <n>", "principal directions of ViM and Residual", positive)
    .option("--rcond <x>", "eigenvalues below x of the largest count as zero", share)
    .option("--param <method.name=value>", "a parameter of one method, repeatable", append)
    .option("--search", "choose NECO's d and the methods' parameters on validation sets")
    .option(
      "--ood-val <name=file>",
      "an OOD validation set for --search, repeatable; with --run also a data set",
      append,
    );
}

/** Adds `neco ood`. */
export function addOod(program: Command): void {
  const command = program
    .command("ood")
    .description(
      "evaluate OOD detection with NECO and its baselines, from a run or from feature files",
    );
  addScoreOptions(addSetOptions(command))
    .option("--bootstrap [n]", "95 % intervals of every figure from n resamples (1000)", positive)
    .option("--bootstrap-seed <n>", "seed of the resamples (default: 0)", natural)
    .option("--delong <method>", "test every method's AUROC against this one's (DeLong)")
    .option("--json <file>", "write the results; - for standard output")
    .option("--timings <file>", "write seconds by phase and method, and the most GPU memory held")
    .option("--latex <file>", "write the table of AUROC and FPR as papers print it")
    .option("--csv <file>", "write a table of all figures, percent, one row per method")
    .option("--scores <file.npz>", "write the score vectors")
    .option("--csv-openood <file>", "write the results in OpenOOD's columns")
    .addHelpText("after", EXAMPLES)
    .action((options: OodOptions, self: Command) => runOod(options, engineChoice(self)));
}
