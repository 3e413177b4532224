/** Reports from a run's files: one HTML page, or a table for the terminal. Data in, text out. */
export * from "./input.ts";
export * from "./collapse-input.ts";
export {
  distributionsOf,
  type Distribution,
  type Distributions,
  type ScoreColumns,
} from "./scoreCounts.ts";
export { csvTable, quoteCsv } from "./csv.ts";
export { latexTable } from "./latex.ts";
export { overRuns, type NamedResults, type OverRuns } from "./runs.ts";
export { renderReport } from "./page.ts";
export { summaryTable, textTable } from "./summary.ts";
export { METRICS, count, figure, isSoftware, methodTitle, percent } from "./format.ts";
export { phaseOf, type Phase } from "./phase.ts";
