/** The results of a run as a table and as JSON. */
import type { AdapterSummary } from "../../src/engine/index.ts";
import { figure, percent, withSpread } from "../html/figures.ts";
import { summarise } from "../measure.ts";
import type { Timing } from "../../src/util/timing.ts";
import type { Origin } from "../origin.ts";
import type { Peaks } from "../probes.ts";
import { ratioOf } from "../ratios.ts";
import type { Ratio } from "../ratios.ts";
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
export interface Setting extends Origin {
  readonly adapter: AdapterSummary;
  readonly node: string;
  readonly date: string;
  readonly command: string;
  readonly peaks: { readonly before: Peaks; readonly after: Peaks | null };
  readonly missing: readonly Missing[];
}

const timesOf = (rounds: readonly (number | null)[]): number[] =>
  rounds.filter((time): time is number => time !== null);

/** "12.3 GFLOP/s" or "1.20 GB/s". */
export function rate({ flops, bytes }: Pick<Work, "flops" | "bytes">, ms: number): string {
  if (flops > 0) return `${figure(flops / (ms * 1e6))} GFLOP/s`;
  return bytes > 0 ? `${figure(bytes / (ms * 1e6))} GB/s` : "";
}

/** GFLOP/s of a call; null where operations are not the point. */
export const gflopsOf = ({ flops }: Pick<Work, "flops">, ms: number): number | null =>
  flops > 0 ? flops / (ms * 1e6) : null;

/** Heads of {@link rateCells}. */
export const PEER_RATE = ["rate", "of FMA peak"] as const;

/** The rate of a median, and its share of the adapter's FMA peak where operations are known. */
export function rateCells(
  work: Pick<Work, "flops" | "bytes">,
  warm: Pick<Timing, "median"> | null,
  fma: number,
): string[] {
  if (!warm) return ["", ""];
  const gflops = gflopsOf(work, warm.median);
  return [rate(work, warm.median), gflops === null ? "" : percent(gflops / fma)];
}

/** Whether an engine's result is right. */
export const agrees = (error: number, { tolerance }: Pick<Work, "tolerance">): boolean =>
  error <= tolerance;

/** Whether the result is right, and why there is none or none to the end. */
export function verdict({ error, failure, agrees: right }: PeerRow): string {
  if (right === null) return failure ?? "";
  const size = error === null || Number.isNaN(error) ? "not finite" : error.toExponential(1);
  const said = right ? `ok (${size})` : `DISAGREES (${size})`;
  return failure ? `${said}; ${failure}` : said;
}

/** "3.21 ± 0.05". */
export const spreadOf = (value: Pick<Timing, "median" | "mad"> | null): string =>
  value ? withSpread(value.median, value.mad) : "";

/** Ratio of an engine to the row of ours that it is held against; null for ours itself. */
export function ratioIn(outcome: Outcome, { outcomes }: WorkOutcome): Ratio | null {
  const ours = outcomes.find(({ engine }) => engine === outcome.against);
  return !ours || ours === outcome ? null : ratioOf(outcome.rounds, ours.rounds);
}

/** The cells of a work's table; `fma` is the adapter's peak before the run, GFLOP/s. */
export const peerCells = (work: PeerWork, fma: number): string[][] =>
  work.engines.map((row) => [
    row.engine,
    row.coldMs === null ? "" : figure(row.coldMs),
    spreadOf(row.warm),
    ...rateCells(work, row.warm, fma),
    spreadOf(row.ratio),
    row.warm ? String(row.warm.samples) : "",
    verdict(row),
  ]);

/** Heads of {@link peerCells}. */
export const PEER_HEAD = [
  ...["engine", "cold ms", "warm ms"],
  ...PEER_RATE,
  ...["× ours", "rounds", "result"],
];

/** The table of a work as text. */
export const table = (result: WorkOutcome, fma: number): string =>
  aligned([PEER_HEAD, ...peerCells(workOf(result, fma), fma)]);

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

/** The schema of a run's file. */
export const PEERS_SCHEMA = "neco-webgpu/bench-peers@1";

/** An engine's row, as files hold it. */
export interface PeerRow extends Outcome {
  /** Its warm times; null where there are none. */
  readonly warm: Timing | null;
  /** Of the warm median; null where operations are not the point. Absent in older files. */
  readonly gflops?: number | null;
  /** Of the adapter's FMA peak before the run. Absent in older files. */
  readonly fmaShare?: number | null;
  /** To the row of ours that it is held against. */
  readonly ratio: Ratio | null;
  /** Whether its result is right; null without one. */
  readonly agrees: boolean | null;
}

/** A work with all engines, as files hold it. */
export interface PeerWork extends Pick<Work, "title" | "flops" | "bytes" | "tolerance" | "why"> {
  readonly work: string;
  readonly engines: readonly PeerRow[];
}

/** What `--json` writes. */
export interface PeersReport extends Setting {
  readonly schema: typeof PEERS_SCHEMA;
  readonly works: readonly PeerWork[];
}

function workOf(result: WorkOutcome, fma: number): PeerWork {
  const { name, title, flops, bytes, tolerance, why } = result.work;
  const engines = result.outcomes.map((outcome): PeerRow => {
    const times = timesOf(outcome.rounds);
    const warm = times.length === 0 ? null : summarise(times);
    const gflops = warm && gflopsOf(result.work, warm.median);
    return {
      ...outcome,
      warm,
      gflops,
      fmaShare: gflops === null ? null : gflops / fma,
      ratio: ratioIn(outcome, result),
      agrees: outcome.error === null ? null : agrees(outcome.error, result.work),
    };
  });
  return { work: name, title, flops, bytes, tolerance, why, engines };
}

/** The run as files hold it. */
export const peersReport = (setting: Setting, results: readonly WorkOutcome[]): PeersReport => ({
  schema: PEERS_SCHEMA,
  ...setting,
  works: results.map((result) => workOf(result, setting.peaks.before.fma.rate)),
});
