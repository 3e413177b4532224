/** The results of a run as a table and as JSON. */
import type { AdapterSummary } from "../../src/engine/index.ts";
import { summarise } from "../measure.ts";
import type { Peaks } from "../probes.ts";
import { ratioOf } from "./ratios.ts";
import type { Ratio } from "./ratios.ts";
import type { Work } from "./works.ts";

/** What an engine did on a work. */
export interface Outcome {
  readonly engine: string;
  /** The row of ours that does the same, transfers included or not. */
  readonly against: string;
  readonly version: string;
  /** First run, with compiling or making the session, ms. */
  readonly coldMs: number | null;
  /** Warm ms by round; null where the engine was out. */
  readonly rounds: readonly (number | null)[];
  /** In the units of the work's tolerance; NaN for a result that is not finite. */
  readonly error: number | null;
  /** Why there is no result, or none to the end. */
  readonly failure: string | null;
}

/** All engines on a work. */
export interface WorkOutcome {
  readonly work: Work;
  readonly outcomes: readonly Outcome[];
}

/** An engine that the machine does not have, and why. */
export interface Missing {
  readonly engine: string;
  readonly why: string;
}

/** What a run was on; peaks before and after it. */
export interface Setting {
  readonly adapter: AdapterSummary;
  readonly node: string;
  readonly date: string;
  readonly command: string;
  readonly peaks: { readonly before: Peaks; readonly after: Peaks | null };
  readonly missing: readonly Missing[];
}

/** "1.23", "12.3", "1,234": three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3).includes("e") ? value.toFixed(4) : value.toPrecision(3);
}

const timesOf = (rounds: readonly (number | null)[]): number[] =>
  rounds.filter((time): time is number => time !== null);

/** "12.3 GFLOP/s" or "1.20 GB/s". */
export function rate({ flops, bytes }: Pick<Work, "flops" | "bytes">, ms: number): string {
  if (flops > 0) return `${figure(flops / (ms * 1e6))} GFLOP/s`;
  return bytes > 0 ? `${figure(bytes / (ms * 1e6))} GB/s` : "";
}

/** Whether an engine's result is right. */
export const agrees = (error: number, { tolerance }: Pick<Work, "tolerance">): boolean =>
  error <= tolerance;

function verdict({ error, failure }: Outcome, work: Work): string {
  if (error === null) return failure ?? "";
  const size = Number.isNaN(error) ? "not finite" : error.toExponential(1);
  const right = agrees(error, work) ? `ok (${size})` : `DISAGREES (${size})`;
  return failure ? `${right}; ${failure}` : right;
}

/** "3.21 ± 0.05". */
const withSpread = (ratio: Ratio | null): string =>
  ratio ? `${figure(ratio.median)} ± ${figure(ratio.mad)}` : "";

/** Ratio of an engine to the row of ours that it is held against; null for ours itself. */
export function ratioIn(outcome: Outcome, { outcomes }: WorkOutcome): Ratio | null {
  const ours = outcomes.find(({ engine }) => engine === outcome.against);
  return !ours || ours === outcome ? null : ratioOf(outcome.rounds, ours.rounds);
}

/** The table of a work: engine, cold, warm, rate, ratio to ours, agreement. */
export function table(result: WorkOutcome): string {
  const head = ["engine", "cold ms", "warm ms", "rate", "× ours", "rounds", "result"];
  const body = result.outcomes.map((outcome) => {
    const times = timesOf(outcome.rounds);
    const warm = times.length === 0 ? null : summarise(times);
    return [
      outcome.engine,
      outcome.coldMs === null ? "" : figure(outcome.coldMs),
      warm ? `${figure(warm.median)} ± ${figure(warm.mad)}` : "",
      warm ? rate(result.work, warm.median) : "",
      withSpread(ratioIn(outcome, result)),
      warm ? String(warm.samples) : "",
      verdict(outcome, result.work),
    ];
  });
  return aligned([head, ...body]);
}

/** Columns as wide as their widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The run as JSON, schema neco-webgpu/bench-peers\@1. */
export function json(setting: Setting, results: readonly WorkOutcome[]): string {
  const works = results.map((result) => ({
    work: result.work.name,
    title: result.work.title,
    flops: result.work.flops,
    bytes: result.work.bytes,
    tolerance: result.work.tolerance,
    why: result.work.why,
    engines: result.outcomes.map((outcome) => {
      const warm = timesOf(outcome.rounds);
      return {
        ...outcome,
        ...(warm.length === 0 ? {} : { warm: summarise(warm) }),
        ratio: ratioIn(outcome, result),
        agrees: outcome.error === null ? null : agrees(outcome.error, result.work),
      };
    }),
  }));
  return `${JSON.stringify({ schema: "neco-webgpu/bench-peers@1", ...setting, works }, null, 1)}\n`;
}
