/** What `DEBUG=program` prints: the passes of a program and what each kind of them costs. */
import { environment } from "#platform";
import type { PassTime } from "./profile.ts";
import type { ProgramStats } from "./replay.ts";

/** Whether the environment variable DEBUG, a list with commas, has this topic. */
export const isDebugged = (topic: string): boolean =>
  (environment("DEBUG") ?? "").split(",").includes(topic);

/** Passes of one label together; labels of fused passes name their stages after plus signs. */
interface Kind {
  readonly label: string;
  readonly count: number;
  readonly microseconds: number;
  readonly flops: number;
  readonly bytes: number;
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
  return [...kinds.values()].sort((a, b) => b.microseconds - a.microseconds);
}

const row = (cells: readonly string[], label: string): string =>
  `${cells.map((cell) => cell.padStart(10)).join("")}  ${label}`;

/** Rates of a pass whose timestamps are equal are left out: a clock's tick is no speed. */
const perMicrosecond = (amount: number, microseconds: number, unit: number): string =>
  microseconds > 0 ? (amount / microseconds / unit).toFixed(2) : "";

/** A table of the passes by label, the costliest first, under a line about the whole program. */
export function programReport(passes: readonly PassTime[], stats: ProgramStats): string {
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const total = passes.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const rows = kindsOf(passes).map(({ label, count, microseconds, flops, bytes }) =>
    row(
      [
        microseconds.toFixed(0),
        String(count),
        mega(bytes),
        perMicrosecond(bytes, microseconds, 1e3),
        perMicrosecond(flops, microseconds, 1e3),
      ],
      label,
    ),
  );
  return [
    `program: ${stats.passes} passes (${stats.merged} more merged into them, ${stats.recomputed} run twice), ${stats.copies} copies, ${(total / 1000).toFixed(2)} ms; values of ${mega(stats.virtualBytes)} in ${stats.slots} slots of ${mega(stats.slotBytes)}`,
    row(["µs", "passes", "moved", "GB/s", "GFLOP/s"], "label"),
    ...rows,
  ].join("\n");
}
