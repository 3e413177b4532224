/** `npm run bench`: ops and whole workloads against the adapter's peaks, measured in the same process. */
import { Command, InvalidArgumentError, Option } from "commander";
import { createEngine } from "../src/engine/index.ts";
import type { AdapterSummary } from "../src/engine/index.ts";
import type { Caps } from "../src/kernels/op.ts";
import { writeAtomic } from "../src/platform/node.ts";
import { costLine, driftLine, peaksLine, profileLines, rowLine } from "./print.ts";
import { measurePeaks } from "./probes.ts";
import type { Peaks } from "./probes.ts";
import type { BenchReport } from "./report.ts";
import { benchRows } from "./rows/index.ts";
import { chooseRows, keyOf } from "./rows/row.ts";
import type { Row } from "./rows/row.ts";
import { runRow } from "./run.ts";
import type { Measured, RunOptions } from "./run.ts";

interface Options {
  readonly only?: string;
  readonly list?: boolean;
  readonly json?: string;
  readonly adapter?: string;
  readonly timer: RunOptions["timer"];
  readonly samples: number;
  readonly budget: number;
  readonly profile?: boolean;
}

const print = (line: string): void => {
  console.log(line);
};

/** What the adapter is and can do at best, in an engine that is gone afterwards. */
async function survey(
  adapter?: string,
): Promise<{ adapter: AdapterSummary; caps: Caps; measure: () => Promise<Peaks> }> {
  const open = (): ReturnType<typeof createEngine> => createEngine(adapter ? { adapter } : {});
  const first = await open();
  first.destroy();
  const measure = async (): Promise<Peaks> => {
    const engine = await open();
    const peaks = await measurePeaks(engine);
    engine.destroy();
    return peaks;
  };
  return { adapter: first.adapter, caps: first.caps, measure };
}

function printRow(row: Measured): void {
  print(rowLine(row));
  if (row.kind === "workload") print(costLine(row));
  for (const line of profileLines(row.passes ?? [])) print(line);
}

/** Measures the rows; `save` keeps what a long run has so far. */
async function measureAll(
  rows: readonly Row[],
  options: RunOptions,
  save: (measured: readonly Measured[]) => Promise<void>,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const row of rows) {
    const result = await runRow(row, options);
    measured.push(result);
    printRow(result);
    await save(measured);
  }
  return measured;
}

async function main(options: Options): Promise<void> {
  // A kernel that the driver finds on disk is not cold; read by Mesa when it is loaded.
  process.env["MESA_SHADER_CACHE_DISABLE"] = "true";
  const { adapter, caps, measure } = await survey(options.adapter);
  const all = benchRows(caps);
  const rows = options.only === undefined ? all : chooseRows(all, options.only);
  if (options.list) {
    for (const row of rows) print(keyOf(row));
    return;
  }
  const software = adapter.kind === "gpu" ? "" : " (software: these are not GPU speeds)";
  print(`adapter: ${adapter.description}${software}`);
  const before = await measure();
  print(`peaks: ${peaksLine(before)}\n`);
  const base = {
    schema: "neco-webgpu/bench@1",
    adapter,
    node: process.version,
    date: new Date().toISOString(),
    command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
    peaks: before,
  } as const;
  const save = async (measured: readonly Measured[], after: Peaks | null): Promise<void> => {
    const report: BenchReport = { ...base, peaks_after: after, rows: measured };
    if (options.json) await writeAtomic(options.json, `${JSON.stringify(report, null, 1)}\n`);
  };
  const { fma, copy } = before;
  const run: RunOptions = {
    ...(options.adapter ? { adapter: options.adapter } : {}),
    timer: options.timer,
    samples: options.samples,
    budgetMs: 1000 * options.budget,
    profile: options.profile ?? false,
    roof: { fma: fma.rate, copy: copy.rate },
  };
  const measured = await measureAll(rows, run, (done) => save(done, null));
  const after = await measure();
  print(`\npeaks after: ${peaksLine(after)}\n${driftLine(before, after)}`);
  await save(measured, after);
}

/** A number above 0. */
function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("must be a number above 0");
  return value;
}

await new Command("bench")
  .description("time ops and whole workloads on this adapter, against its own measured peaks")
  .option("--only <patterns>", "rows by name, by the beginning of their line in --list, or by glob")
  .option("--list", "print the rows instead of measuring them")
  .option("--json <file>", "write the figures there, schema neco-webgpu/bench@1")
  .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
  .addOption(
    new Option(
      "--timer <clock>",
      "GPU timestamps or the host's clock; auto: timestamps if there are",
    )
      .choices(["auto", "gpu", "wall"])
      .default("auto"),
  )
  .option("--profile", "time every pass of a program by itself too")
  .option("--samples <n>", "most samples of a row", positive, 20)
  .option(
    "--budget <seconds>",
    "time of a row after which no sample starts (but 3 are taken)",
    positive,
    10,
  )
  .addHelpText(
    "after",
    `
Each row runs in an engine of its own, without the driver's shader cache: "cold" is its first call,
compiling included. Medians ± median absolute deviations are of warm calls. "x % of memory" is the
part of what the copy peak allows the row's bytes, "of compute" of the FMA peak.

Examples:
  npm run bench -- --list
  npm run bench -- --only small-vit-step --profile
  npm run bench -- --only 'matmul,softmax*,* naive' --json new.json`,
  )
  .action(main)
  .parseAsync();
