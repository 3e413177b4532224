/** DeLong's test of every method against a reference, as rows that terminal and page share. */
import { methodTitle, percent } from "./format.ts";
import { html, type Markup } from "./html.ts";
import type { DelongResult, OodGroup, OodJson } from "./input.ts";
import { mainColumns } from "./tables.ts";

/** A row per method that was tested, a column per set. */
export interface DelongTable {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** p-values below it are printed as such. */
const LEAST_P = 1e-4;

function cellOf(test: DelongResult | undefined): string {
  if (test === undefined) return "–";
  const { difference, p } = test;
  const chance = p === null ? "= –" : p < LEAST_P ? `< ${LEAST_P}` : `= ${p.toFixed(4)}`;
  return `${difference > 0 ? "+" : ""}${percent(difference)} (p ${chance})`;
}

/** Differences of AUROC and p per set outside the controls; null where nothing was tested. */
export function delongTable(
  ood: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
): DelongTable | null {
  const sets = mainColumns(ood, groups)
    .filter(({ n }) => n !== null)
    .map(({ title }) => title);
  const all = Object.entries(ood.results);
  const reference = all
    .flatMap(([, result]) => sets.map((set) => result.sets[set]?.delong?.reference))
    .find((name) => name !== undefined);
  if (reference === undefined) return null;
  const tested = all.filter(([method]) => method !== reference);
  const tests = tested.flatMap(([, result]) =>
    sets.flatMap((set) => result.sets[set]?.delong ?? []),
  ).length;
  return {
    caption: `AUROC against ${methodTitle(reference)}, difference in percent (two-sided p by DeLong's test, not corrected for the number of tests, ${tests})`,
    head: ["method", ...sets],
    rows: tested.map(([method, result]) => [
      methodTitle(method),
      ...sets.map((set) => cellOf(result.sets[set]?.delong)),
    ]),
  };
}

/** The table on a page. */
export function delongMarkup(
  ood: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
): Markup | null {
  const table = delongTable(ood, groups);
  if (table === null) return null;
  return html`<div class="wide">
    <table>
      <caption>
        ${table.caption}.
      </caption>
      <thead>
        <tr>
          ${table.head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${table.rows.map(
          ([method = "", ...cells]) =>
            html`<tr>
              <th scope="row">${method}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
