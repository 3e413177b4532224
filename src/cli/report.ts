/** `neco report`: a run's files as one self-contained page. */
import type { Command } from "commander";
import { join } from "node:path";
import { exists } from "#platform";
import { loadFloats, openArrays } from "../io/index.ts";
import {
  distributionsOf,
  type ExamplesJson,
  type NcJson,
  type PcaJson,
  type ReportInput,
  type ScoreColumns,
  type SweepJson,
} from "../report/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { note } from "./console.ts";
import { creditsOf, groupsOf } from "./credits.ts";
import { append } from "./options.ts";
import { writeTables } from "./ood-outputs.ts";
import { checkOutputs } from "./outputs.ts";
import { packageVersion } from "./program.ts";
import { isOodJson, isResultsFile, reportFiles } from "./report-files.ts";
import { writePage } from "./report-page.ts";
import { reportRuns, type RunsOutputs } from "./report-runs.ts";
import { hasSchema, openRun, readMetrics, readOptional, runPath } from "./run-folder.ts";

/** Every score column of an npz as written by `neco ood --scores`. */
async function readScores(path: string): Promise<ScoreColumns> {
  if (!(await exists(path))) return {};
  const store = await openArrays(path);
  try {
    const columns: Record<string, Float32Array> = {};
    for (const name of store.names) {
      const array = await store.find(name);
      if (array !== null) columns[name] = await loadFloats(array);
    }
    return columns;
  } finally {
    await store.close();
  }
}

/** Everything that a run folder has to say. */
export async function reportInput(
  folder: string,
  { title, now }: { title?: string | undefined; now: Date },
): Promise<ReportInput> {
  const config = await openRun(folder);
  const ood = await readOptional(runPath(folder, "ood"), isOodJson);
  return {
    title: title ?? `${config.dataset.title}: training, neural collapse and OOD detection`,
    generated: now.toISOString(),
    version: packageVersion(),
    config,
    metrics: await readMetrics(folder),
    ood,
    groups: groupsOf(config, ood),
    distributions: distributionsOf(await readScores(runPath(folder, "scores"))),
    sweep: await readOptional(
      runPath(folder, "sweep"),
      hasSchema<SweepJson>("neco-webgpu/sweep@1"),
    ),
    nc: await readOptional(runPath(folder, "nc"), hasSchema<NcJson>("neco-webgpu/nc@1")),
    pca: await readOptional(runPath(folder, "pca"), hasSchema<PcaJson>("neco-webgpu/pca@1")),
    examples: await readOptional(
      runPath(folder, "examples"),
      hasSchema<ExamplesJson>("neco-webgpu/examples@1"),
    ),
    credits: creditsOf(config),
  };
}

/** Writes the report of a run and returns its path. */
export async function writeReport(
  folder: string,
  { title, out }: { title?: string | undefined; out?: string | undefined } = {},
): Promise<string> {
  const path = out ?? runPath(folder, "report");
  await writePage(path, await reportInput(folder, { title, now: new Date() }));
  return path;
}

/** Options of `neco report` as commander gives them. */
interface ReportOptions extends RunsOutputs {
  readonly run?: string;
  readonly runs?: readonly string[];
}

/** One run: its page, and its tables where they were asked for. */
async function reportRun(folder: string, options: ReportOptions): Promise<void> {
  const config = await openRun(folder);
  await checkOutputs([options.out ?? runPath(folder, "report"), options.csv, options.latex]);
  if (options.csv !== undefined || options.latex !== undefined) {
    const ood = await readOptional(runPath(folder, "ood"), isOodJson);
    if (ood === null)
      throw new DataError(
        `${folder} holds no OOD results yet: make them with neco ood --run ${folder} --ood NAME`,
      );
    await writeTables(ood, groupsOf(config, ood), options);
  }
  note(`report: ${join(await writeReport(folder, options))}`);
}

/** The report of whatever was named. */
async function report(paths: readonly string[], options: ReportOptions): Promise<void> {
  const named = options.run === undefined ? paths : [options.run, ...paths];
  const [first] = named;
  if (options.runs !== undefined && first !== undefined)
    throw new UsageError("give one run folder, or --runs with several, not both");
  if (options.runs !== undefined) return reportRuns(options.runs, options);
  if (first === undefined) throw new UsageError("give the run folder: neco report runs/digits");
  if (options.json !== undefined)
    throw new UsageError("--json is for --runs: the results of one are in its ood.json already");
  if (options.run === undefined && named.every(isResultsFile)) return reportFiles(named, options);
  if (named.length > 1)
    throw new UsageError(
      "give one run folder, or files of neco ood --json and neco nc --json; several runs go with --runs",
    );
  return reportRun(first, options);
}

const EXAMPLES = `
Examples:
  neco report runs/digits
  neco report ood.json nc.json --out page.html
  neco report --runs runs/seed-1 runs/seed-2 runs/seed-3 --latex table.tex`;

/** Adds `neco report`. */
export function addReport(program: Command): void {
  program
    .command("report")
    .description(
      "write one self-contained HTML page with every table and figure of a run or of result files, or tables over several",
    )
    .argument(
      "[paths...]",
      "a run folder (or --run), or files of neco ood --json and neco nc --json",
    )
    .option("--run <folder>", "the run folder")
    .option(
      "--runs <folders...>",
      "several run folders, or files of neco ood --json: mean ± standard deviation over them",
      append,
    )
    .option(
      "--out <file>",
      "where to write the page (default: report.html in the run folder; beside the first file)",
    )
    .option("--title <text>", "the page's title")
    .option("--latex <file>", "write the table of AUROC and FPR as papers print it")
    .option("--csv <file>", "write a table of all figures, percent, one row per method")
    .option("--json <file>", "with --runs: write the results; - for standard output")
    .addHelpText("after", EXAMPLES)
    .action(report);
}
