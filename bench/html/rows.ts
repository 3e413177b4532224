/** All rows as a table, and where the time of profiled programs goes. */
import { html } from "../../src/report/html.ts";
import type { Markup } from "../../src/report/html.ts";
import { kindsOf } from "../print.ts";
import { keyOf } from "../rows/row.ts";
import type { Measured } from "../run.ts";
import { figure, percent, table, withSpread } from "./figures.ts";

const HEAD = [
  "row",
  "variant",
  "ms",
  "clock",
  "cold ms",
  "GFLOP/s",
  "GB/s",
  "of the peak",
  "dispatches",
  "submits",
  "host µs",
  "buffers, MB",
  "pipelines",
] as const;

const rateCell = (amount: number, rate: number): string => (amount > 0 ? figure(rate) : "");

const cells = (row: Measured): (string | Markup)[] => [
  html`${row.name} <span class="soft">${row.shape}</span>`,
  row.picked === true ? html`<strong>${row.variant}</strong>` : row.variant,
  withSpread(row.median, row.mad),
  row.timer,
  figure(row.cold_ms),
  rateCell(row.flops, row.gflops),
  rateCell(row.bytes, row.gbs),
  row.bound ? `${percent(row.fraction_of_peak)} of ${row.bound}` : "",
  String(row.dispatches),
  String(row.submits),
  figure(row.host_us),
  figure(row.peak_bytes / 1e6),
  String(row.pipelines),
];

/** Every row; variants that the engine picks are bold. */
export const rowsTable = (rows: readonly Measured[]): Markup =>
  table(
    "Medians ± median absolute deviations of warm calls; cold is the first call, compiling included. Bold: what the engine picks by itself",
    HEAD,
    rows.map(cells),
  );

function passTable(row: Measured): Markup {
  const kinds = kindsOf(row.passes ?? []);
  const total = kinds.reduce((sum, { microseconds }) => sum + microseconds, 0);
  return html`<details>
    <summary>${keyOf(row)}: ${kinds.length} kinds of passes, ${figure(total / 1000)} ms</summary>
    ${table(
      "Passes with one label together, each timed by itself",
      ["pass", "ms", "of all", "count", "GFLOP/s", "GB/s"],
      kinds.map(({ label, count, microseconds, flops, bytes }) => [
        label,
        figure(microseconds / 1000),
        percent(microseconds / total),
        String(count),
        rateCell(flops, flops / microseconds / 1000),
        rateCell(bytes, bytes / microseconds / 1000),
      ]),
    )}
  </details>`;
}

/** The profiles; null where none was made. */
export function profilesBody(rows: readonly Measured[]): Markup | null {
  const profiled = rows.filter(({ passes = [] }) => passes.length > 0);
  return profiled.length > 0 ? html`${profiled.map(passTable)}` : null;
}
