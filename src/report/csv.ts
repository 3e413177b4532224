/** The result table for spreadsheets: one row per method, percent with two decimals, metrics by full name. */
import { methodTitle, percent } from "./format.ts";
import type { MeasuredMetrics, OodGroup, OodJson } from "./input.ts";
import { controlColumns, mainColumns, metricsIn } from "./tables.ts";
import type { MetricName } from "./format.ts";

/** A cell that holds a comma, quote or line break, quoted (RFC 4180). */
export const quoteCsv = (cell: string): string =>
  /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** What a metric's columns hold: the value, then its uncertainty if the results have one. */
interface Part {
  readonly suffix: string;
  readonly read: (metrics: MeasuredMetrics, key: MetricName["key"]) => number | undefined;
}

const VALUE: Part = { suffix: "", read: (metrics, key) => metrics[key] };
const STD: Part = { suffix: " std", read: ({ std }, key) => std?.[key] };
const ENDS: readonly Part[] = [
  { suffix: " low", read: ({ intervals }, key) => intervals?.[key]?.[0] },
  { suffix: " high", read: ({ intervals }, key) => intervals?.[key]?.[1] },
];

/** All metrics of every method on every set and average; what is missing is an empty cell. */
export function csvTable(ood: OodJson, groups: Readonly<Record<string, OodGroup>>): string {
  const fields = [...mainColumns(ood, groups), ...controlColumns(ood, groups)].flatMap(
    ({ title, group, n, read }) => {
      const name = n === null ? `${group} average` : title;
      const metrics = Object.values(ood.results).map(read);
      const hasEnds = metrics.some((one) => one?.intervals !== undefined);
      const parts = [VALUE, ...(ood.runs === undefined ? [] : [STD]), ...(hasEnds ? ENDS : [])];
      return metricsIn(ood).flatMap((metric) =>
        parts.map((part) => ({
          name: `${name}: ${metric.title}${part.suffix}`,
          read: (result: Parameters<typeof read>[0]): string => {
            const own = read(result);
            const value = own ? part.read(own, metric.key) : undefined;
            return value === undefined || !Number.isFinite(value) ? "" : percent(value);
          },
        })),
      );
    },
  );
  const rows = Object.entries(ood.results).map(([method, result]) => [
    methodTitle(method),
    ...fields.map((field) => field.read(result)),
  ]);
  const lines = [["method", ...fields.map(({ name }) => name)], ...rows];
  return `${lines.map((cells) => cells.map(quoteCsv).join(",")).join("\n")}\n`;
}
