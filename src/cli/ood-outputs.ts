/** What `neco ood` leaves behind: JSON, score vectors, OpenOOD's CSV, a table in the terminal. */
import { writeAtomic } from "#platform";
import { hostArray, storeArrays } from "../io/index.ts";
import { formatOf } from "../io/open.ts";
import type { Evaluation } from "../neco/evaluate.ts";
import {
  csvTable,
  latexTable,
  methodTitle,
  percent,
  quoteCsv,
  summaryTable,
  textTable,
  type OodGroup,
  type OodJson,
  type OodMetrics,
  type SweepJson,
} from "../report/index.ts";
import { UsageError } from "../util/errors.ts";
import { note, print, writeJson } from "./console.ts";

/** Where results go; what is absent is not written. */
export interface OodOutputs {
  readonly json?: string;
  readonly html?: string;
  readonly scores?: string;
  readonly csvOpenood?: string;
  readonly csv?: string;
  readonly latex?: string;
  readonly timings?: string;
  readonly saveDetector?: string;
}

/** What a report draws beside the tables, as far as it was computed. */
export type OodFigures = Pick<OodJson, "distributions" | "sweep" | "pca">;

/** The files that were asked for. */
export const oodOutputs = (outputs: OodOutputs): (string | undefined)[] => [
  outputs.json,
  outputs.html,
  outputs.scores,
  outputs.csvOpenood,
  outputs.csv,
  outputs.latex,
  outputs.timings,
  outputs.saveDetector,
];

/**
 * Passes if the names of outputs end as their formats do.
 * @throws UsageError naming the one that does not.
 */
export function assertOutputs({ scores, saveDetector }: OodOutputs): void {
  if (scores !== undefined) formatOf(scores);
  if (saveDetector !== undefined && !saveDetector.endsWith(".safetensors"))
    throw new UsageError(`--save-detector ${saveDetector}: name it .safetensors, as detectors are`);
}

/** Columns of OpenOOD's result files; its FPR is the share of ID flagged at 95 % OOD recall. */
const OPENOOD_HEAD = "method,dataset,FPR@95,AUROC,AUPR_IN,AUPR_OUT,ACC";

const openoodRow = (
  method: string,
  dataset: string,
  { fpr_at_95_ood_tpr, auroc, aupr_in, aupr_out }: OodMetrics,
  accuracy: number | null,
): string =>
  [
    method,
    dataset,
    ...[fpr_at_95_ood_tpr, auroc, aupr_in, aupr_out, accuracy].map((value) =>
      value === null ? "" : percent(value),
    ),
  ].join(",");

/** Results in OpenOOD's columns: near sets, their mean, far sets, their mean; percent. */
export function openoodCsv(ood: OodJson, groups: Readonly<Record<string, OodGroup>>): string {
  const lines = [OPENOOD_HEAD];
  for (const [method, { sets, near, far }] of Object.entries(ood.results)) {
    const rowsOf = (wanted: readonly OodGroup[]): string[] =>
      Object.entries(sets)
        .filter(([name]) => wanted.includes(groups[name] ?? "other"))
        .map(([name, metrics]) => openoodRow(method, quoteCsv(name), metrics, ood.id.accuracy));
    lines.push(...rowsOf(["near"]));
    if (near) lines.push(openoodRow(method, "nearood", near, ood.id.accuracy));
    lines.push(...rowsOf(["far"]));
    if (far) lines.push(openoodRow(method, "farood", far, ood.id.accuracy));
    lines.push(...rowsOf(["other", "control"]));
  }
  return `${lines.join("\n")}\n`;
}

/** Score vectors as an npz of f64 columns. */
export const saveScores = (path: string, scores: Evaluation["scores"]): Promise<void> =>
  storeArrays(
    path,
    Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, hostArray(values)])),
  );

/** Writes the tables that were asked for, as papers print them. */
export async function writeTables(
  ood: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
  { csv, latex }: Pick<OodOutputs, "csv" | "latex">,
): Promise<void> {
  if (csv !== undefined) await writeAtomic(csv, csvTable(ood, groups));
  if (latex !== undefined) await writeAtomic(latex, latexTable(ood, groups));
}

/**
 * Writes the files that were asked for and prints the table (unless JSON goes to standard output).
 * @param figures - what a report draws, kept beside the figures in JSON and shown on the page
 */
export async function publish(
  { json, scores, warnings }: Evaluation,
  groups: Readonly<Record<string, OodGroup>>,
  { figures, ...outputs }: OodOutputs & { readonly figures?: OodFigures },
): Promise<void> {
  for (const warning of warnings) note(`warning: ${warning}`);
  for (const [method, reason] of Object.entries(json.skipped)) note(`skipped ${method}: ${reason}`);
  const results = { ...json, ...figures };
  if (outputs.json !== undefined) await writeJson(outputs.json, results);
  if (outputs.html !== undefined && Object.keys(json.results).length > 0) {
    const { resultsInput, writePage } = await import("./report-page.ts");
    await writePage(outputs.html, resultsInput({ ood: results, nc: null }));
    note(`report: ${outputs.html}`);
  }
  if (outputs.scores !== undefined) await saveScores(outputs.scores, scores);
  if (outputs.csvOpenood !== undefined)
    await writeAtomic(outputs.csvOpenood, openoodCsv(json, groups));
  await writeTables(json, groups, outputs);
  if (outputs.json === "-" || Object.keys(json.results).length === 0) return;
  const accuracy = json.id.accuracy === null ? "" : `, accuracy ${percent(json.id.accuracy)} %`;
  const error =
    json.id.ece === null
      ? ""
      : `, calibration error ${percent(json.id.ece)} % (equal mass: ${percent(json.id.ece_adaptive)} %)`;
  print(`ID test: n = ${json.id.n}${accuracy}${error}\n\n${summaryTable(json, groups)}`);
}

/** The sweep as a table, with the sentence that keeps it out of results. */
export function sweepText({ chosen, d, sets, method }: SweepJson): string {
  const names = Object.keys(sets);
  const rows = d.map((dim, index) => [
    `${dim}${dim === chosen ? " (chosen)" : ""}`,
    ...names.flatMap((name) => [
      percent(sets[name]?.auroc[index]),
      percent(sets[name]?.fpr_at_95_id_tpr[index]),
    ]),
  ]);
  const head = ["d", ...names.flatMap((name) => [`${name}: AUROC`, "FPR at 95 % ID TPR"])];
  return `${methodTitle(method ?? "neco")} against d, percent. This sweep has seen the test OOD sets: it chooses nothing and enters no table.\n${textTable(head, rows)}`;
}
