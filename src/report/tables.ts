/** Result tables: method × OOD set, best in bold, near and far apart, controls in a table of their own. */
import {
  count,
  figure,
  METRICS,
  methodTitle,
  percent,
  spread,
  spreadNote,
  type MetricName,
} from "./format.ts";
import { html, type Markup } from "./html.ts";
import type { Json, MeasuredMetrics, MethodResult, OodGroup, OodJson } from "./input.ts";

/** One column of a table: a set or an average over a group. */
export interface Column {
  readonly title: string;
  readonly group: string;
  /** Samples of the set; null for averages. */
  readonly n: number | null;
  readonly read: (result: MethodResult) => MeasuredMetrics | null | undefined;
}

const GROUP_TITLES: Readonly<Record<OodGroup, string>> = {
  near: "near OOD",
  far: "far OOD",
  control: "control",
  other: "OOD",
};

/** Names of the sets of a group, in the order of the results. */
export function setsIn(
  ood: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
  group: OodGroup,
): string[] {
  const names = new Set(Object.values(ood.results).flatMap(({ sets }) => Object.keys(sets)));
  return [...names].filter((name) => (groups[name] ?? "other") === group);
}

function setColumn(ood: OodJson, name: string, group: OodGroup): Column {
  const sizes = Object.values(ood.results).map(({ sets }) => sets[name]?.n ?? 0);
  return {
    title: name,
    group: GROUP_TITLES[group],
    n: Math.max(0, ...sizes),
    read: (result) => result.sets[name],
  };
}

function averageColumn(ood: OodJson, average: "near" | "far" | "average", group: string): Column[] {
  const present = Object.values(ood.results).some((result) => (result[average] ?? null) !== null);
  return present ? [{ title: "average", group, n: null, read: (result) => result[average] }] : [];
}

/** The columns of the main tables: near sets and their average, far ones, others, all. */
export function mainColumns(ood: OodJson, groups: Readonly<Record<string, OodGroup>>): Column[] {
  const setsOf = (group: OodGroup): Column[] =>
    setsIn(ood, groups, group).map((name) => setColumn(ood, name, group));
  const near = setsOf("near");
  const far = setsOf("far");
  const columns = [
    ...near,
    ...(near.length > 0 ? averageColumn(ood, "near", GROUP_TITLES.near) : []),
    ...far,
    ...(far.length > 0 ? averageColumn(ood, "far", GROUP_TITLES.far) : []),
    ...setsOf("other"),
  ];
  return columns.length > 1 ? [...columns, ...averageColumn(ood, "average", "all sets")] : columns;
}

/** The columns of the control table. */
export const controlColumns = (
  ood: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
): Column[] => setsIn(ood, groups, "control").map((name) => setColumn(ood, name, "control"));

/** The best value that a column prints, so that equal print means equal rank. */
export function bestOf(
  ood: OodJson,
  column: Pick<Column, "read">,
  { key, better }: MetricName,
): string | null {
  const values = Object.values(ood.results)
    .map((result) => column.read(result)?.[key])
    .filter((value) => value !== undefined)
    .filter(Number.isFinite);
  if (values.length === 0) return null;
  return percent(better === "higher" ? Math.max(...values) : Math.min(...values));
}

function headRows(columns: readonly Column[]): Markup {
  const spans: { group: string; span: number }[] = [];
  for (const { group } of columns) {
    const last = spans[spans.length - 1];
    if (last?.group === group) last.span++;
    else spans.push({ group, span: 1 });
  }
  return html`<thead>
    <tr>
      <td></td>
      ${spans.map(({ group, span }) => html`<th class="group" scope="colgroup" colspan="${span}">${group}</th>`)}
    </tr>
    <tr>
      <th scope="col">method</th>
      ${columns.map(({ title, n }) => html`<th scope="col" class="${n === null ? "average" : "set"}">${title}${n === null ? null : html`<br /><span class="soft">n = ${count(n)}</span>`}</th>`)}
    </tr>
  </thead>`;
}

function cell(
  metrics: MeasuredMetrics | null | undefined,
  { key }: MetricName,
  { best, isAverage }: { best: string | null; isAverage: boolean },
): Markup {
  const text = percent(metrics?.[key]);
  const around = spread(metrics, key);
  const shown =
    text === best && text !== "–" ? html`<strong class="best">${text}</strong>` : html`${text}`;
  return html`<td class="${isAverage ? "average" : "set"}">
    ${shown}${around === "" ? null : html` <small class="soft">${around}</small>`}
  </td>`;
}

/** The metrics that these results hold: older ones lack some. */
export const metricsIn = ({ results }: OodJson): MetricName[] =>
  METRICS.filter(({ key }) =>
    Object.values(results).some(({ sets }) =>
      Object.values(sets).some((metrics) => metrics[key] !== undefined),
    ),
  );

function metricTable(ood: OodJson, columns: readonly Column[], metric: MetricName): Markup {
  const best = columns.map((column) => bestOf(ood, column, metric));
  const rows = Object.entries(ood.results).map(
    ([method, result]) =>
      html`<tr>
        <th scope="row">${methodTitle(method)}</th>
        ${columns.map((column, index) =>
          cell(column.read(result), metric, {
            best: best[index] ?? null,
            isAverage: column.n === null,
          }),
        )}
      </tr> `,
  );
  const note = spreadNote(ood);
  return html`<div class="wide">
    <table>
      <caption>
        <strong>${metric.title}</strong
        >, percent (${metric.better} is better): ${metric.meaning}${note === "" ? "" : `; ${note}`}.
      </caption>
      ${headRows(columns)}
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** The main tables: AUROC and FPR at 95 % ID TPR in view, the others behind a fold. */
export function resultTables(ood: OodJson, groups: Readonly<Record<string, OodGroup>>): Markup {
  const columns = mainColumns(ood, groups);
  if (columns.length === 0) return html`<p class="soft">No OOD set outside the controls.</p>`;
  const tables = metricsIn(ood).map((metric) => metricTable(ood, columns, metric));
  return html`${tables.slice(0, 2)}
    <details open>
      <summary>The other metrics</summary>
      ${tables.slice(2)}
    </details>`;
}

/** The control sets (noise): reported, but in no average. */
export function controlTables(
  ood: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
): Markup | null {
  const columns = controlColumns(ood, groups);
  if (columns.length === 0) return null;
  return html`<h3>Control sets</h3>
    <p>Controls, such as noise, are no OOD that one meets: they stand here and in no average.</p>
    ${METRICS.slice(0, 2).map((metric) => metricTable(ood, columns, metric))}`;
}

const paramValue = (value: Json): string =>
  typeof value === "number"
    ? figure(value)
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

const paramText = (params: MethodResult["params"]): string =>
  Object.entries(params)
    .map(([name, value]) => `${name} = ${paramValue(value)}`)
    .join(", ");

/** Chosen parameters of each method, and the methods that were skipped with the reason. */
export function methodFacts(ood: OodJson): Markup {
  const skipped = Object.entries(ood.skipped);
  return html`<div class="wide">
      <table class="facts">
        <caption>
          Parameters, fitted or chosen on ID training data
        </caption>
        <tbody>
          ${Object.entries(ood.results).map(
            ([method, { params }]) =>
              html`<tr>
                <th scope="row">${methodTitle(method)}</th>
                <td>${paramText(params) || "none"}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${skipped.length === 0 ? null : html`<p>Skipped: ${skipped.map(([method, reason]) => `${methodTitle(method)} (${reason})`).join("; ")}.</p>`}`;
}
