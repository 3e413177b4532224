/** What the bench prints: one line per row, and tables of passes. */
import type { PassTime } from "../src/engine/index.ts";
import type { Peaks } from "./probes.ts";
import type { Measured } from "./run.ts";

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

/** A time in ms with digits that matter. */
export const milliseconds = (value: number): string =>
  value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const LABEL_WIDTH = 56;

/** Name, times and rates of a row. */
export function rowLine(row: Measured): string {
  const label = `${row.name} ${row.shape}`;
  const short = label.length > LABEL_WIDTH ? `${label.slice(0, LABEL_WIDTH - 1)}…` : label;
  const rates = [
    row.flops > 0 ? `${row.gflops.toFixed(2)} GFLOP/s` : "",
    row.bytes > 0 ? `${row.gbs.toFixed(2)} GB/s` : "",
  ];
  const peak = row.bound ? `${percent(row.fraction_of_peak)} of ${row.bound}` : "";
  return [
    short.padEnd(LABEL_WIDTH),
    row.variant.slice(0, 18).padEnd(18),
    `${milliseconds(row.median)} ± ${milliseconds(row.mad)} ms`.padStart(22),
    `cold ${milliseconds(row.cold_ms)}`.padStart(13),
    (rates[0] ?? "").padStart(15),
    (rates[1] ?? "").padStart(11),
    peak.padStart(17),
  ].join(" ");
}

/** What a call of a workload costs the host and the memory. */
export function costLine({ calls, host_us: host, peak_bytes: peak, pipelines }: Measured): string {
  return `  per call: ${calls.dispatches} dispatches, ${calls.submits} submits, ${calls.copies} copies, ${host.toFixed(0)} µs of host time, ${calls.buffers} new buffers (${mega(calls.bufferBytes)}); at most ${mega(peak)} of buffers; ${pipelines} pipelines`;
}

/** Passes of one kind together, the longest first. */
export function profileLines(passes: readonly PassTime[]): string[] {
  const total = passes.reduce((sum, { microseconds }) => sum + microseconds, 0);
  return kindsOf(passes).map(({ label, count, microseconds, flops, bytes }) =>
    [
      `${(microseconds / 1000).toFixed(2).padStart(9)} ms`,
      `${((100 * microseconds) / total).toFixed(1).padStart(5)} %`,
      `${String(count).padStart(4)} ×`,
      label.padEnd(56),
      `${(flops / microseconds / 1000).toFixed(2).padStart(7)} GFLOP/s`,
      `${(bytes / microseconds / 1000).toFixed(2).padStart(6)} GB/s`,
    ].join(" "),
  );
}

/** Passes with one label together, the longest first. */
export function kindsOf(passes: readonly PassTime[]): (PassTime & { readonly count: number })[] {
  const kinds = new Map<string, PassTime & { count: number }>();
  for (const { label, microseconds, flops, bytes } of passes) {
    const kind = kinds.get(label);
    kinds.set(label, {
      label,
      count: (kind?.count ?? 0) + 1,
      microseconds: (kind?.microseconds ?? 0) + microseconds,
      flops: (kind?.flops ?? 0) + flops,
      bytes: (kind?.bytes ?? 0) + bytes,
    });
  }
  return [...kinds.values()].sort((a, b) => b.microseconds - a.microseconds);
}

/** The peaks in one line. */
export function peaksLine({ fma, copies, bufferCopy }: Peaks): string {
  const each = [...copies, bufferCopy].map(({ rate, variant }) => `${variant} ${rate.toFixed(2)}`);
  return `FMA ${fma.rate.toFixed(1)} GFLOP/s (${fma.variant}); copy GB/s: ${each.join(", ")}`;
}

/** How far the machine has moved since the peaks were measured first. */
export function driftLine(before: Peaks, after: Peaks): string {
  const change = (from: number, to: number): string => {
    const part = to / from - 1;
    return `${part >= 0 ? "+" : "−"}${(100 * Math.abs(part)).toFixed(1)} %`;
  };
  return `drift over the run: FMA ${change(before.fma.rate, after.fma.rate)}, copy ${change(before.copy.rate, after.copy.rate)}`;
}
