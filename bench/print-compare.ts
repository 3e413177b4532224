/** What the bench prints of a comparison, of turns and of gains. */
import { textTable } from "../src/report/index.ts";
import { tally } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import type { Bare } from "./bare.ts";
import { turnRatio, valueBytes } from "./gains.ts";
import type { Gain, Gains } from "./gains.ts";
import { commitText } from "./origin.ts";
import { milliseconds as ms } from "./print.ts";
import { ratioText } from "./ratios.ts";
import { keyOf } from "./rows/row.ts";
import type { Measured } from "./run.ts";
import type { Turns } from "./turns.ts";

const MOST_NAMED = 10; // rows of one run alone that are named

function named(what: string, rows: readonly Parameters<typeof keyOf>[0][]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length > MOST_NAMED ? [`  … and ${rows.length - MOST_NAMED} more`] : [];
  return [`${what}:`, ...rows.slice(0, MOST_NAMED).map((row) => `  ${keyOf(row)}`), ...more];
}

/** A comparison as a table with its warnings. */
export function comparisonLines(comparison: Comparison): string[] {
  const { old, changes, gone, added, warnings } = comparison;
  const body = changes.map(({ row, old: then, now, ratio, spread, noise, verdict }) => [
    keyOf(row),
    `${ms(then.median)} ± ${ms(then.mad)}`,
    `${ms(now.median)} ± ${ms(now.mad)}`,
    ratioText({ median: ratio, mad: spread }),
    `× ${noise.toFixed(2)}`,
    verdict,
  ]);
  const head = ["row", "old ms", "ms", "old / new", "noise", "verdict"];
  return [
    `against the run of ${old.date} (${old.command}; commit: ${commitText(old)})`,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(body.length > 0 ? [textTable(head, body)] : []),
    ...named("only in the old run", gone),
    ...named("only in this run", added),
    tally(comparison),
  ];
}

/** Ratios of a row's variants to the first, by rounds. */
export function turnsLines(turns: Turns): string[] {
  const variants = Object.keys(turns.rounds);
  const [first = "", ...others] = variants;
  const rounds = turns.rounds[first]?.length ?? 0;
  return [
    `${turns.name} ${turns.shape} in turns, ${rounds} rounds, times as long as ${first}:`,
    ...others.map(
      (variant) => `  ${variant.padEnd(18)} ${ratioText(turnRatio(turns, variant, first))}`,
    ),
  ];
}

/** What replaying a program costs the host beside a bare loop over its dispatches. */
export function bareLine({ name, shape, dispatches, replayed, bare, ratio }: Bare): string {
  const micro = ({ median, mad }: Bare["bare"]): string =>
    `${median.toFixed(2)} ± ${mad.toFixed(2)} µs`;
  return `${name} ${shape}: host time of a replayed pass ${micro(replayed)}, of a bare one ${micro(bare)}, ratio ${ratioText(ratio)} (encoding ${dispatches} dispatches, ${bare.samples} rounds in turns)`;
}

const arrow = (from: string, to: string): string => (from === to ? from : `${from} → ${to}`);
/** Eager mode has no memory plan: nothing to compare. */
const NOT_COUNTED = "–";
const mega = (bytes: number | null): string =>
  bytes === null ? NOT_COUNTED : `${(bytes / 1e6).toFixed(1)} MB`;

/** Cells of a gain: time, dispatches, submits, memory, host time. */
export function gainCells({ what, without, having, ratio }: Gain): string[] {
  const both = (read: (row: Measured) => string): string => arrow(read(without), read(having));
  return [
    what,
    arrow(without.variant, having.variant),
    ratioText(ratio),
    both(({ dispatches }) => String(dispatches)),
    both(({ submits }) => String(submits)),
    valueBytes(without) === null ? NOT_COUNTED : both((row) => mega(valueBytes(row))),
    both((row) => mega(row.peak_bytes)),
    both(({ host_us }) => (host_us / 1000).toFixed(1)),
  ];
}

/** Column heads of {@link gainCells}. */
export const GAIN_HEAD = [
  "what",
  "modes",
  "time without / with",
  "dispatches",
  "submits",
  "values",
  "buffers at most",
  "host ms",
] as const;

/** What each thing brings to a workload. */
export const gainLines = ({ name, shape, gains }: Gains): string[] => [
  `${name} ${shape}: what each brings`,
  textTable([...GAIN_HEAD], gains.map(gainCells)),
];
