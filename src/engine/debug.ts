/** What `DEBUG=program` prints: the passes of a program and what each kind of them costs. */
import { environment } from "#platform";
import type { PassCost, PassTime } from "./profile.ts";
import type { ProgramStats } from "./replay.ts";

/** Whether the environment variable DEBUG, a list with commas, has this topic. */
export const isDebugged = (topic: string): boolean =>
  (environment("DEBUG") ?? "").split(",").includes(topic);

/** Passes of one label together; labels of fused passes name their stages after plus signs. */
interface Kind extends PassTime {
  readonly count: number;
}

function kindsOf(passes: readonly PassTime[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { label, microseconds, flops, bytes } of passes) {
    const known = kinds.get(label) ?? { label, count: 0, microseconds: 0, flops: 0, bytes: 0 };
    kinds.set(label, {
      label,
      count: known.count + 1,
      microseconds: known.microseconds + microseconds,
      flops: known.flops + flops,
      bytes: known.bytes + bytes,
    });
  }
  return [...kinds.values()].sort((a, b) => b.microseconds - a.microseconds || b.bytes - a.bytes);
}

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Rates of a pass whose timestamps are equal are left out: a clock's tick is no speed. */
const perMicrosecond = (amount: number, { microseconds }: Kind): string =>
  microseconds > 0 ? (amount / microseconds / 1e3).toFixed(2) : "";

/** A column's head, and its cell for the passes of a label. */
type Column = readonly [head: string, cell: (kind: Kind) => string];

const COUNTED: readonly Column[] = [
  ["passes", ({ count }) => String(count)],
  ["moved", ({ bytes }) => mega(bytes)],
];

const TIMED: readonly Column[] = [
  ["µs", ({ microseconds }) => microseconds.toFixed(0)],
  ...COUNTED,
  ["GB/s", (kind) => perMicrosecond(kind.bytes, kind)],
  ["GFLOP/s", (kind) => perMicrosecond(kind.flops, kind)],
];

const UNTIMED: readonly Column[] = [...COUNTED, ["GFLOP", ({ flops }) => (flops / 1e9).toFixed(3)]];

function table(columns: readonly Column[], kinds: readonly Kind[]): string[] {
  const row = (cells: readonly string[], label: string): string =>
    `${cells.map((cell) => cell.padStart(10)).join("")}  ${label}`;
  return [
    row(
      columns.map(([head]) => head),
      "label",
    ),
    ...kinds.map((kind) =>
      row(
        columns.map(([, cell]) => cell(kind)),
        kind.label,
      ),
    ),
  ];
}

const headline = (stats: ProgramStats, time: string): string =>
  `program: ${stats.passes} passes (${stats.merged} more merged into them, ${stats.recomputed} run twice), ${stats.copies} copies, ${time}; values of ${mega(stats.virtualBytes)} in ${stats.slots} slots of ${mega(stats.slotBytes)}`;

/** A table of the passes by label, the costliest first, under a line about the whole program. */
export function programReport(passes: readonly PassTime[], stats: ProgramStats): string {
  const total = passes.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const time = `${(total / 1000).toFixed(2)} ms`;
  return [headline(stats, time), ...table(TIMED, kindsOf(passes))].join("\n");
}

/** The same where the adapter cannot time passes: those that move most bytes first. */
export function untimedReport(passes: readonly PassCost[], stats: ProgramStats): string {
  const kinds = kindsOf(passes.map((pass) => ({ ...pass, microseconds: 0 })));
  const time = "untimed, for this adapter has no timestamp-query";
  return [headline(stats, time), ...table(UNTIMED, kinds)].join("\n");
}
