/** A run of the bench: peaks, every row, variants in turns, peaks again. */
import { createEngine } from "../src/engine/index.ts";
import type { AdapterSummary } from "../src/engine/index.ts";
import type { Caps } from "../src/kernels/op.ts";
import { writeAtomic } from "../src/platform/node.ts";
import { measureBare } from "./bare.ts";
import type { Bare } from "./bare.ts";
import { bareLine, turnsLines } from "./print-compare.ts";
import { costLine, driftLine, peaksLine, profileLines, rowLine } from "./print.ts";
import type { Options } from "./options.ts";
import { originLine, originNow } from "./origin.ts";
import { measurePeaks } from "./probes.ts";
import type { Peaks } from "./probes.ts";
import { BENCH_SCHEMA } from "./report.ts";
import type { BenchReport } from "./report.ts";
import { groupsOf } from "./rows/row.ts";
import type { Row } from "./rows/row.ts";
import { runRow } from "./run.ts";
import type { Measured, RunOptions } from "./run.ts";
import { takeTurns } from "./turns.ts";
import type { Turns } from "./turns.ts";

const print = (line: string): void => {
  console.log(line);
};

/** What the adapter is, and a way to measure its peaks in an engine that is gone afterwards. */
export interface Survey {
  readonly adapter: AdapterSummary;
  readonly caps: Caps;
  readonly measure: () => Promise<Peaks>;
}

/** Looks at the adapter. */
export async function survey(adapter?: string): Promise<Survey> {
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

const runOptions = (
  { adapter, timer, samples, budget, profile = false }: Options,
  { fma, copy }: Peaks,
): RunOptions => ({
  ...(adapter ? { adapter } : {}),
  timer,
  samples,
  budgetMs: 1000 * budget,
  profile,
  roof: { fma: fma.rate, copy: copy.rate },
});

function printRow(row: Measured): void {
  print(rowLine(row));
  if (row.kind === "workload") print(costLine(row));
  for (const line of profileLines(row.passes ?? [])) print(line);
}

/** Figures so far. */
interface Figures {
  readonly rows: Measured[];
  readonly turns: Turns[];
  readonly bare: Bare[];
}

/** A row's variants in turns, and a replayed workload in turns with a bare loop. */
async function turnsOf(
  group: readonly [Row, ...Row[]],
  run: RunOptions,
  { turns, bare }: Figures,
): Promise<void> {
  if (group.length > 1) {
    const taken = await takeTurns(group, run);
    turns.push(taken);
    for (const line of turnsLines(taken)) print(line);
  }
  const replayed = group.find(({ kind, variant }) => kind === "workload" && variant === "program");
  if (!replayed) return;
  const beside = await measureBare(replayed, run);
  bare.push(beside);
  print(bareLine(beside));
}

async function measureAll(
  rows: readonly Row[],
  { run, turns }: { run: RunOptions; turns: boolean },
  save: (figures: Figures) => Promise<void>,
): Promise<Figures> {
  const figures: Figures = { rows: [], turns: [], bare: [] };
  for (const [first, ...others] of groupsOf(rows).values()) {
    if (!first) continue;
    for (const row of [first, ...others]) {
      const measured = await runRow(row, run);
      figures.rows.push(measured);
      printRow(measured);
      await save(figures);
    }
    if (!turns) continue;
    await turnsOf([first, ...others], run, figures);
    await save(figures);
  }
  return figures;
}

/** Measures the rows; the file of `--json` is written after each, so that a long run keeps what it has. */
export async function measureReport(
  rows: readonly Row[],
  { adapter, measure }: Survey,
  options: Options,
): Promise<BenchReport> {
  const software = adapter.kind === "gpu" ? "" : " (software: these are not GPU speeds)";
  const origin = originNow();
  print(`adapter: ${adapter.description}${software}\n${originLine(origin)}`);
  const before = await measure();
  print(`peaks: ${peaksLine(before)}\n`);
  const base = {
    schema: BENCH_SCHEMA,
    adapter,
    ...origin,
    node: process.version,
    date: new Date().toISOString(),
    command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
    peaks: before,
  } as const;
  const reportOf = ({ rows, turns, bare }: Figures, after: Peaks | null): BenchReport => ({
    ...base,
    peaks_after: after,
    rows,
    ...(options.turns ? { turns, bare } : {}),
  });
  const save = async (report: BenchReport): Promise<void> => {
    if (options.json) await writeAtomic(options.json, `${JSON.stringify(report, null, 1)}\n`);
  };
  const figures = await measureAll(
    rows,
    { run: runOptions(options, before), turns: options.turns ?? false },
    (soFar) => save(reportOf(soFar, null)),
  );
  const after = await measure();
  print(`\npeaks after: ${peaksLine(after)}\n${driftLine(before, after)}`);
  const report = reportOf(figures, after);
  await save(report);
  return report;
}
