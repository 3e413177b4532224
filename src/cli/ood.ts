/** `neco ood`: every method on every OOD set, from a run or from anybody's feature files. */
import type { Engine } from "../engine/index.ts";
import { evaluateOod, type EvaluateInput, type Evaluation } from "../neco/evaluate.ts";
import type { ScoreOptions } from "../neco/options.ts";
import { chooseScores } from "../neco/registry.ts";
import { needsImages } from "../neco/score.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { note, print } from "./console.ts";
import { withEngine } from "./engine.ts";
import { assertEnsemble } from "./ensemble-usage.ts";
import type { EngineChoice } from "./engine.ts";
import { methodParams } from "./method-params.ts";
import { openFeatureSets, type FeatureSets, type GroupOptions } from "./feature-sets.ts";
import { assertOutputs, oodOutputs, publish, sweepText, type OodOutputs } from "./ood-outputs.ts";
import { searchOptions } from "./ood-search.ts";
import { figuresOf } from "./ood-figures.ts";
import { timingsFile } from "./ood-timings.ts";
import { namedFile, oneOf, positive } from "./options.ts";
import { checkOutputs } from "./outputs.ts";
import { saveDetector } from "./save-detector.ts";
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
  readonly recall?: number;
  /** Folders of further runs. */
  readonly ensemble?: readonly string[];
}

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

/** Passes if a detector can be made by these options. */
function assertDetector({ run, idVal, saveDetector: detector, recall }: OodOptions): void {
  if (detector !== undefined && run !== undefined)
    throw new UsageError("--save-detector is for feature files: a run keeps its own in its folder");
  if (detector !== undefined && idVal === undefined)
    throw new UsageError(
      "--save-detector needs --id-val F: its threshold stands on samples that nothing was fitted on",
    );
  if (recall !== undefined && detector === undefined)
    throw new UsageError("--recall is the share that a detector keeps: add --save-detector F");
}

/** Passes if the options go together. */
function assertOptions(options: OodOptions): void {
  const { run, idVal, search, oodVal = [], html } = options;
  if (search === true && ((idVal ?? run) === undefined || oodVal.length === 0))
    throw new UsageError(
      "--search needs sets that are not the test sets: --id-val F (a run has its own) and --ood-val NAME=F",
    );
  if (html !== undefined && run !== undefined)
    throw new UsageError(`--html is for feature files: neco report ${run} makes the page of a run`);
  assertDetector(options);
  for (const set of [...(options.ood ?? []), ...oodVal]) namedFile(set); // its own rules
  assertOutputs(options);
  assertEnsemble(options, methodsOf(options));
}

/** What the options ask of methods that do not run. */
export function idleOptions(options: OodOptions): string[] {
  const names = new Set(chooseScores(methodsOf(options)).map(({ name }) => name));
  const { methodParams: params = {} } = scoreOptionsOf(options);
  const idle = Object.keys(params).filter((method) => !names.has(method));
  return [
    ...idle.map((method) => `--param of ${method}, which is not among --methods, changes nothing`),
    ...(options.necoDim === "sweep" && !names.has("neco")
      ? ["--neco-dim sweep shows nothing: neco is not among --methods"]
      : []),
  ];
}

/** Leaves all that was asked for behind. */
async function leave(
  engine: Engine,
  sets: FeatureSets,
  evaluation: Evaluation,
  options: OodOptions,
): Promise<void> {
  const groups = Object.fromEntries(sets.ood.map(({ source, group }) => [source.name, group]));
  const hasSweep = options.necoDim === "sweep";
  const figures = await figuresOf(engine, sets, evaluation, { ...options, hasSweep });
  const { sweep = null } = figures;
  await publish(evaluation, groups, { ...options, figures });
  if (hasSweep && sweep !== null && options.json !== "-") print(`\n${sweepText(sweep)}`);
  if (Object.keys(evaluation.json.results).length === 0)
    throw new DataError("no method gave a result: all were skipped, for the reasons above");
  if (options.saveDetector !== undefined)
    await saveDetector(engine, sets, evaluation, {
      path: options.saveDetector,
      recall: options.recall,
    });
  if (options.run !== undefined) {
    const { saveRunOod } = await import("./run-results.ts");
    await saveRunOod(engine, options.run, { sets, evaluation, sweep });
  }
}

/** Runs `neco ood`. */
export async function runOod(options: OodOptions, choice: EngineChoice): Promise<void> {
  // Wrong usage, absent files and outputs that cannot be written must not wait for an adapter.
  assertOptions(options);
  const wanted = scoreOptionsOf(options);
  for (const warning of idleOptions(options)) note(`warning: ${warning}`);
  const opened = options.run === undefined ? await openFeatureSets(filesOf(options)) : null;
  await checkOutputs(oodOutputs(options)).catch(async (error: unknown) => {
    await opened?.close();
    throw error;
  });
  await withEngine(choice, async (engine) => {
    const sets = opened ?? (await openSets(engine, options.run ?? ".", options));
    try {
      const methods = methodsOf(options);
      const oodVal = (options.oodVal ?? []).map(namedFile);
      const searched =
        options.search === true
          ? await searchOptions(engine, sets, { methods, oodVal, wanted })
          : wanted;
      const timings = timingsFile(options.timings);
      const evaluation = await evaluateSets(engine, sets, methods, {
        ...uncertaintyOf(options),
        options: searched,
        time: timings.time,
      });
      await timings.save(engine);
      await leave(engine, sets, evaluation, options);
    } finally {
      await sets.close();
    }
  });
}
