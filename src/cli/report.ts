/** `neco report`: a run's files as one self-contained page. */
import type { Command } from "commander";
import { parseHTML } from "linkedom";
import { join } from "node:path";
import { exists, writeAtomic } from "#platform";
import { loadFloats, openArrays } from "../io/index.ts";
import {
  renderReport,
  type ExamplesJson,
  type NcJson,
  type OodJson,
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
import { packageVersion } from "./program.ts";
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
  const ood = await readOptional(runPath(folder, "ood"), hasSchema<OodJson>("neco-webgpu/ood@1"));
  return {
    title: title ?? `${config.dataset.title}: training, neural collapse and OOD detection`,
    generated: now.toISOString(),
    version: packageVersion(),
    config,
    metrics: await readMetrics(folder),
    ood,
    groups: groupsOf(config, ood),
    scores: await readScores(runPath(folder, "scores")),
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
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  await writeAtomic(
    path,
    renderReport(await reportInput(folder, { title, now: new Date() }), document),
  );
  return path;
}

/** Options of `neco report` as commander gives them. */
interface ReportOptions extends RunsOutputs {
  readonly run?: string;
  readonly runs?: readonly string[];
}

/** One run: its page, and its tables where they were asked for. */
async function reportRun(folder: string, options: ReportOptions): Promise<void> {
  if (options.json !== undefined)
    throw new UsageError(
      `--json is for --runs: one run's results are in ${runPath(folder, "ood")}`,
    );
  const config = await openRun(folder);
  if (options.csv !== undefined || options.latex !== undefined) {
    const ood = await readOptional(runPath(folder, "ood"), hasSchema<OodJson>("neco-webgpu/ood@1"));
    if (ood === null)
      throw new DataError(
        `${folder} holds no OOD results yet: make them with neco ood --run ${folder} --ood NAME`,
      );
    await writeTables(ood, groupsOf(config, ood), options);
  }
  note(`report: ${join(await writeReport(folder, options))}`);
}

const EXAMPLES = `
Examples:
  neco report runs/digits
  neco report --runs runs/seed-1 runs/seed-2 runs/seed-3 --latex table.tex`;

/** Adds `neco report`. */
export function addReport(program: Command): void {
  program
    .command("report")
    .description(
      "write one self-contained HTML page with every table and figure of a run, or tables over several",
    )
    .argument("[run]", "the run folder (or --run)")
    .option("--run <folder>", "the run folder")
    .option(
      "--runs <folders...>",
      "several run folders, or files of neco ood --json: mean ± standard deviation over them",
      append,
    )
    .option("--out <file>", "where to write the page (default: report.html in the run folder)")
    .option("--title <text>", "the page's title")
    .option("--latex <file>", "write the table of AUROC and FPR as papers print it")
    .option("--csv <file>", "write a table of all figures, percent, one row per method")
    .option("--json <file>", "with --runs: write the results; - for standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (argument: string | undefined, options: ReportOptions, command: Command) => {
      const folder = options.run ?? argument;
      if (options.runs !== undefined && folder === undefined)
        await reportRuns(options.runs, options);
      else if (options.runs !== undefined)
        command.error("error: give one run folder, or --runs with several, not both");
      else if (folder === undefined)
        command.error("error: give the run folder: neco report runs/digits");
      else await reportRun(folder, options);
    });
}
