/** Holds a run against an older one: ratios with spread, and whether they say anything. Pure. */
import type { Clock } from "./measure.ts";
import { cpuText } from "./origin.ts";
import type { Peaks } from "./probes.ts";
import type { BenchReport } from "./report.ts";
import type { Bound } from "./roofline.ts";
import { keyOf } from "./rows/row.ts";
import type { RowName } from "./rows/row.ts";
import type { Measured } from "./run.ts";

/** What a ratio says. */
export type Verdict = "faster" | "slower" | "within noise";

/** Median and median absolute deviation, ms. */
interface Spread {
  readonly median: number;
  readonly mad: number;
}

/** A row of both runs. */
export interface Change {
  readonly row: RowName;
  readonly old: Spread;
  readonly now: Spread;
  readonly timer: Clock;
  /** Old time over new: above 1 is faster now. */
  readonly ratio: number;
  /** Of the ratio, from both runs' median absolute deviations. */
  readonly spread: number;
  /** Ratios below this, and above its inverse, are noise. */
  readonly noise: number;
  readonly verdict: Verdict;
}

/** Two runs side by side. */
export interface Comparison {
  readonly old: Pick<BenchReport, "date" | "command" | "commit" | "node" | "adapter">;
  readonly changes: readonly Change[];
  /** Rows of the old run alone. */
  readonly gone: readonly RowName[];
  /** Rows of the new run alone. */
  readonly added: readonly RowName[];
  /** Why the two may not be comparable. */
  readonly warnings: readonly string[];
}

/** Deviations that a ratio has to leave: 3 MADs are 2 standard deviations of normal noise. */
const MADS = 3;
/** A peak that moved by more is told. */
const NOTABLE = 0.1;

type PeakName = "fma" | "copy";
const PEAK_NAMES: Readonly<Record<PeakName, string>> = { fma: "FMA", copy: "copy" };

const peaksOf = ({ peaks, peaks_after }: BenchReport): Peaks[] =>
  peaks_after ? [peaks, peaks_after] : [peaks];

/** How far apart the readings of a peak lie in all runs: the largest over the smallest. */
function driftOf(reports: readonly BenchReport[], name: PeakName): number {
  const rates = reports.flatMap(peaksOf).map((peaks) => peaks[name].rate);
  return Math.max(...rates) / Math.min(...rates);
}

/** The drift that concerns a row: of the peak that bounds it, else of both. */
const driftFor = (bound: Bound | null, drift: Readonly<Record<PeakName, number>>): number =>
  bound === null ? Math.max(drift.fma, drift.copy) : drift[bound === "compute" ? "fma" : "copy"];

const byWall = ({ wall_ms, wall_mad }: Measured): Spread => ({ median: wall_ms, mad: wall_mad });
const byTimer = ({ median, mad }: Measured): Spread => ({ median, mad });

/** A ratio beyond its noise says something. */
export const verdictOf = (ratio: number, noise: number): Verdict =>
  ratio > noise ? "faster" : ratio < 1 / noise ? "slower" : "within noise";

function changeOf(before: Measured, after: Measured, drift: Record<PeakName, number>): Change {
  const same = before.timer === after.timer;
  const timer = same ? after.timer : "wall";
  const read = same ? byTimer : byWall;
  const [old, now] = [read(before), read(after)];
  const ratio = old.median / now.median;
  const relative = Math.hypot(old.mad / old.median, now.mad / now.median);
  const noise = Math.exp(MADS * relative) * driftFor(after.bound, drift);
  const { name, shape, variant } = after;
  const verdict = verdictOf(ratio, noise);
  return {
    row: { name, shape, variant },
    old,
    now,
    timer,
    ratio,
    spread: ratio * relative,
    noise,
    verdict,
  };
}

const signed = (ratio: number): string =>
  `${ratio >= 1 ? "+" : "−"}${(100 * Math.abs(ratio - 1)).toFixed(0)} %`;

function peakWarnings(old: BenchReport, now: BenchReport): string[] {
  return (["fma", "copy"] as const).flatMap((name) => {
    const title = PEAK_NAMES[name];
    const moved = (from: Peaks, to: Peaks, when: string): string[] => {
      const ratio = to[name].rate / from[name].rate;
      if (Math.abs(Math.log(ratio)) <= Math.log(1 + NOTABLE)) return [];
      const rates = `${from[name].rate.toFixed(1)} → ${to[name].rate.toFixed(1)}`;
      return [`the ${title} peak ${when}: ${rates} (${signed(ratio)})`];
    };
    return [
      ...moved(old.peaks, now.peaks, "differs between the runs"),
      ...(old.peaks_after ? moved(old.peaks, old.peaks_after, "drifted in the old run") : []),
      ...(now.peaks_after ? moved(now.peaks, now.peaks_after, "drifted in this run") : []),
    ];
  });
}

function warningsOf(old: BenchReport, now: BenchReport): string[] {
  const differ = (what: string, then: string, today: string): string[] =>
    then === today ? [] : [`${what}: ${then} in the old run, ${today} in this one`];
  const clocks = new Map(old.rows.map((row) => [keyOf(row), row.timer]));
  const mixed = now.rows.filter((row) => (clocks.get(keyOf(row)) ?? row.timer) !== row.timer);
  return [
    ...differ("adapter or driver", old.adapter.description, now.adapter.description),
    ...differ("CPU", cpuText(old), cpuText(now)),
    ...differ("features", old.adapter.features.join(" "), now.adapter.features.join(" ")),
    ...differ("Node", old.node, now.node),
    ...peakWarnings(old, now),
    ...(old.peaks_after ? [] : ["the old run was cut short: its drift is not known"]),
    ...(mixed.length > 0
      ? [`${mixed.length} rows had another clock then: the host's is compared`]
      : []),
  ];
}

/** Holds `now` against `old`, row by row. */
export function compareReports(old: BenchReport, now: BenchReport): Comparison {
  const before = new Map(old.rows.map((row) => [keyOf(row), row]));
  const after = new Set(now.rows.map(keyOf));
  const drift = { fma: driftOf([old, now], "fma"), copy: driftOf([old, now], "copy") };
  const changes = now.rows.flatMap((row) => {
    const was = before.get(keyOf(row));
    return was ? [changeOf(was, row, drift)] : [];
  });
  const { date, command, commit, node, adapter } = old;
  return {
    old: { date, command, ...(commit === undefined ? {} : { commit }), node, adapter },
    changes,
    gone: old.rows.filter((row) => !after.has(keyOf(row))),
    added: now.rows.filter((row) => !before.has(keyOf(row))),
    warnings: warningsOf(old, now),
  };
}

/** "3 faster, 1 slower, 12 within noise; 2 rows only in the old run". */
export function tally({ changes, gone, added }: Comparison): string {
  const count = (wanted: Verdict): number =>
    changes.filter(({ verdict }) => verdict === wanted).length;
  const counts = (["faster", "slower", "within noise"] as const).map(
    (verdict) => `${count(verdict)} ${verdict}`,
  );
  const only = [
    ...(gone.length > 0 ? [`${gone.length} only in the old run`] : []),
    ...(added.length > 0 ? [`${added.length} only in this one`] : []),
  ];
  return [...counts, ...only].join(", ");
}
