/** A comparison with an older run as a section. */
import { html } from "../../src/report/html.ts";
import type { Markup } from "../../src/report/html.ts";
import { tally } from "../compare.ts";
import type { Comparison } from "../compare.ts";
import { commitText } from "../origin.ts";
import { ratioText } from "../ratios.ts";
import { keyOf } from "../rows/row.ts";
import type { RowName } from "../rows/row.ts";
import { figure, table, withSpread } from "./figures.ts";

const HEAD = ["row", "variant", "old ms", "ms", "old / new", "noise", "verdict"] as const;

function only(what: string, rows: readonly RowName[]): Markup | null {
  if (rows.length === 0) return null;
  return html`<details>
    <summary>${what}: ${rows.length}</summary>
    <ul>
      ${rows.map((row) => html`<li>${keyOf(row)}</li>`)}
    </ul>
  </details>`;
}

const warningNote = (warnings: readonly string[]): Markup | null =>
  warnings.length === 0
    ? null
    : html`<div class="note">
        <strong>The runs differ:</strong>
        <ul>
          ${warnings.map((warning) => html`<li>${warning}</li>`)}
        </ul>
      </div>`;

/** Warnings, verdicts, and rows of one run alone. */
export function comparisonBody(comparison: Comparison): Markup {
  const { old, changes, gone, added, warnings } = comparison;
  const rows = changes.map(({ row, old: then, now, ratio, spread, noise, verdict }) => [
    html`${row.name} <span class="soft">${row.shape}</span>`,
    row.variant,
    withSpread(then.median, then.mad),
    withSpread(now.median, now.mad),
    ratioText({ median: ratio, mad: spread }),
    `× ${figure(noise)}`,
    verdict === "within noise" ? verdict : html`<strong>${verdict}</strong>`,
  ]);
  return html`<p>
      The old run: ${old.date}, <code>${old.command}</code>, commit: ${commitText(old)}, Node
      ${old.node}. ${tally(comparison)}. Noise is the factor up to which a ratio, or its inverse,
      says nothing: three median absolute deviations of the ratio, times how far the readings of the
      peak that bounds the row lie apart.
    </p>
    ${warningNote(warnings)}
    ${rows.length > 0 ? table("Old time over new: above 1 is faster now", HEAD, rows) : null}
    ${only("Rows only in the old run", gone)} ${only("Rows only in this run", added)}`;
}
