/** How numbers read on the bench's pages. */
import { html } from "../../src/report/html.ts";
import type { Markup } from "../../src/report/html.ts";
import type { Peaks } from "../probes.ts";

/** "1.23", "12.3", "1,234": three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3).includes("e") ? value.toFixed(4) : value.toPrecision(3);
}

/** "12.3 ± 0.4": the spread to the last digit of the median. */
export function withSpread(median: number, mad: number): string {
  const [, decimals = ""] = figure(median).split(".");
  return `${figure(median)} ± ${mad.toFixed(decimals.length)}`;
}

/** "42 %". */
export const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

/** "+3.1 %" of a change from one value to another. */
export function change(from: number, to: number): string {
  const part = to / from - 1;
  return `${part >= 0 ? "+" : "−"}${(100 * Math.abs(part)).toFixed(1)} %`;
}

/** A table with a caption; the first cell of a row names it. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | Markup)[])[],
): Markup {
  return html`<div class="wide">
    <table class="figures">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name = "", ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A figure that one should see first. */
export const card = (name: string, value: string): Markup =>
  html`<div class="card"><b>${value}</b>${name}</div>`;

/** The peaks before and after a run, with their drift. */
export function peaksTable(before: Peaks, after: Peaks | null): Markup {
  const row = (
    name: string,
    unit: string,
    read: (peaks: Peaks) => { rate: number; variant: string } | undefined,
  ): string[] => {
    const [first, last] = [read(before), after ? read(after) : undefined];
    return [
      name,
      first ? `${figure(first.rate)} ${unit}` : "–",
      last ? `${figure(last.rate)} ${unit}` : "–",
      first && last ? change(first.rate, last.rate) : "–",
      first?.variant ?? "",
    ];
  };
  return table(
    "Peaks of the adapter, measured by probes in the same process before and after the rows",
    ["peak", "before", "after", "drift", "best kernel"],
    [
      row("FMA", "GFLOP/s", ({ fma }) => fma),
      row("copy, the best kernel", "GB/s", ({ copy }) => copy),
      ...before.copies.map(({ variant }) =>
        row(`copy, ${variant}`, "GB/s", ({ copies }) =>
          copies.find((one) => one.variant === variant),
        ),
      ),
      row("copy, the driver's own", "GB/s", ({ bufferCopy }) => bufferCopy),
    ],
  );
}
