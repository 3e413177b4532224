/** The result table as plain text, for the terminal. */
import { delongTable } from "./delong.ts";
import { METRICS, methodTitle, percent, spread, spreadNote, type MetricName } from "./format.ts";
import type { OodGroup, OodJson } from "./input.ts";
import { bestOf, controlColumns, mainColumns, type Column } from "./tables.ts";

const SHOWN = METRICS.slice(0, 2);

/** Whether a column holds numbers, perhaps with a mark or a word behind, so that it lines up right. */
const isNumeric = (cells: readonly string[]): boolean =>
  cells.every(
    (cell) =>
      cell === "–" ||
      /^[+-]?\d[\d.\u202f]*(e[-+]?\d+)?\s?(\*|\(.*\))?( ± .*| \[.*\])?\s*$/.test(cell),
  );

/** Lines of a table with columns as wide as their longest cell; a rule below the head. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = head.map((_, index) => rows.map((row) => row[index] ?? ""));
  const widths = head.map((name, index) =>
    Math.max(name.length, ...(columns[index] ?? []).map((cell) => cell.length)),
  );
  const numeric = columns.map((cells, index) => index > 0 && isNumeric(cells));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        numeric[index] === true
          ? cell.padStart(widths[index] ?? 0)
          : cell.padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("──");
  return [line(head), rule, ...rows.map(line)].join("\n");
}

function tableOf(ood: OodJson, columns: readonly Column[], metric: MetricName): string {
  const best = columns.map((column) => bestOf(ood, column, metric));
  const head = columns.map(({ title, group, n }) =>
    n === null ? `${group} avg` : `${title} (${n})`,
  );
  const rows = Object.entries(ood.results).map(([method, result]) => [
    methodTitle(method),
    ...columns.map((column, index) => {
      const metrics = column.read(result);
      const text = percent(metrics?.[metric.key]);
      const mark = text === best[index] && text !== "–" ? "*" : " ";
      return `${text}${mark} ${spread(metrics, metric.key)}`.trimEnd().padEnd(text.length + 1);
    }),
  ]);
  return textTable(["method", ...head], rows);
}

/** AUROC and FPR at 95 % ID TPR per set and average, controls below; `*` marks the best of a column. */
export function summaryTable(ood: OodJson, groups: Readonly<Record<string, OodGroup>>): string {
  const columns = mainColumns(ood, groups);
  const controls = controlColumns(ood, groups);
  const parts = SHOWN.flatMap((metric) => [
    ...(columns.length === 0
      ? []
      : [
          `${metric.title}, percent (${metric.better} is better, * best, n in brackets)\n${tableOf(ood, columns, metric)}`,
        ]),
    ...(controls.length === 0
      ? []
      : [
          `${metric.title} of controls, which are in no average\n${tableOf(ood, controls, metric)}`,
        ]),
  ]);
  const note = spreadNote(ood);
  const delong = delongTable(ood, groups);
  return [
    ...parts,
    ...(delong === null ? [] : [`${delong.caption}\n${textTable(delong.head, delong.rows)}`]),
    ...(note === "" ? [] : [`${note}.`]),
  ].join("\n\n");
}
