/** The result table as papers print it, in LaTeX: percent, two decimals, best in bold. */
import { METRICS, methodTitle, percent, spread, spreadNote, type MetricName } from "./format.ts";
import type { MeasuredMetrics, OodGroup, OodJson } from "./input.ts";
import { bestOf, controlColumns, mainColumns, type Column } from "./tables.ts";

const SHOWN = METRICS.slice(0, 2);

const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
};

/** Text as LaTeX prints it literally. */
export const escapeLatex = (text: string): string =>
  text.replace(/[\\~^&%$#_{}]/g, (character) => SPECIAL[character] ?? `\\${character}`);

/** A metric's name in two lines, with the direction that is better. */
function metricHead({ title, better }: MetricName): string {
  const arrow = better === "higher" ? "$\\uparrow$" : "$\\downarrow$";
  const lines = escapeLatex(title).replace("95 ", "95\\,").replace(" ID", "\\\\ID");
  return lines.includes("\\\\") ? `\\shortstack{${lines}\\,${arrow}}` : `${lines}\\,${arrow}`;
}

function cell(
  metrics: MeasuredMetrics | null | undefined,
  key: MetricName["key"],
  best: string | null,
): string {
  const text = percent(metrics?.[key]);
  if (text === "–") return "--";
  const shown = text === best ? `\\textbf{${text}}` : text;
  const around = spread(metrics, key).replace("± ", "$\\pm$\\,");
  return around === "" ? shown : `${shown}\\,{\\scriptsize ${around}}`;
}

const titleOf = ({ title, group, n }: Column): string => (n === null ? `${group} average` : title);

const PAIR = SHOWN.length;

/**
 * AUROC and FPR at 95 % ID TPR of every method on every set and average as one LaTeX table. It needs
 * the package booktabs, as its first line says. Controls come last, as they enter no average.
 */
export function latexTable(ood: OodJson, groups: Readonly<Record<string, OodGroup>>): string {
  const columns = [...mainColumns(ood, groups), ...controlColumns(ood, groups)];
  const best = columns.map((column) => SHOWN.map((metric) => bestOf(ood, column, metric)));
  const rules = columns.map((_, index) => {
    const first = 2 + PAIR * index;
    return `\\cmidrule(lr){${first}-${first + PAIR - 1}}`;
  });
  const rows = Object.entries(ood.results).map(([method, result]) => {
    const cells = columns.flatMap((column, index) =>
      SHOWN.map(({ key }, place) => cell(column.read(result), key, best[index]?.[place] ?? null)),
    );
    return `    ${[escapeLatex(methodTitle(method)), ...cells].join(" & ")} \\\\`;
  });
  const note = spreadNote(ood);
  const caption = `OOD detection, percent, best in bold${note === "" ? "" : `; ${note}`}.`;
  return [
    "% \\usepackage{booktabs}",
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${escapeLatex(caption).replace("±", "$\\pm$")}}`,
    `  \\begin{tabular}{l${"r".repeat(PAIR * columns.length)}}`,
    "    \\toprule",
    `    ${["", ...columns.map((column) => `\\multicolumn{${PAIR}}{c}{${escapeLatex(titleOf(column))}}`)].join(" & ")} \\\\`,
    `    ${rules.join(" ")}`,
    `    ${["Method", ...columns.flatMap(() => SHOWN.map(metricHead))].join(" & ")} \\\\`,
    "    \\midrule",
    ...rows,
    "    \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}
