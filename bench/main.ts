/** `npm run bench`: ops and whole workloads against the adapter's peaks, measured in the same process. */
import { endingOf } from "../src/cli/exit.ts";
import { compareReports } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import { readPeers, readReport, writePage } from "./files.ts";
import { gainsOf } from "./gains.ts";
import { renderBench } from "./html/page.ts";
import { benchCommand, checkOptions } from "./options.ts";
import type { Options } from "./options.ts";
import { comparisonLines, gainLines } from "./print-compare.ts";
import type { BenchReport } from "./report.ts";
import { benchRows } from "./rows/index.ts";
import { chooseRows, keepRows, keyOf } from "./rows/row.ts";
import { measureReport, survey } from "./session.ts";

const print = (line: string): void => {
  console.log(line);
};

/** Figures of an older file, or measured now; null where --list has said all. */
async function figures(options: Options): Promise<BenchReport | null> {
  const { only, from } = options;
  if (from !== undefined) {
    const report = await readReport(from);
    return only === undefined ? report : { ...report, rows: chooseRows(report.rows, only) };
  }
  const found = await survey(options.adapter);
  const all = benchRows(found.caps);
  const rows = only === undefined ? all : chooseRows(all, only);
  if (!options.list) return measureReport(rows, found, options);
  for (const row of rows) print(keyOf(row));
  return null;
}

/** The comparison; rows that --only leaves out are missing in neither run. */
function compared(old: BenchReport, now: BenchReport, only?: string): Comparison {
  const rows = only === undefined ? old.rows : keepRows(old.rows, only);
  return compareReports({ ...old, rows }, now);
}

async function main(options: Options): Promise<void> {
  // A kernel that the driver finds on disk is not cold; read by Mesa when it is loaded.
  process.env["MESA_SHADER_CACHE_DISABLE"] = "true";
  checkOptions(options);
  const { compare, only, html } = options;
  // Read before anything is measured: a bad file should not cost an hour.
  const old = compare === undefined ? null : await readReport(compare);
  const peers = options.peers === undefined ? null : await readPeers(options.peers);
  const report = await figures(options);
  if (!report) return;
  for (const gains of gainsOf(report.rows, report.turns ?? []))
    print(`\n${gainLines(gains).join("\n")}`);
  const comparison = old ? compared(old, report, only) : null;
  if (comparison) print(`\n${comparisonLines(comparison).join("\n")}`);
  if (html === undefined) return;
  await writePage(html, (document) => renderBench({ report, comparison, peers }, document));
  print(`\npage: ${html}`);
}

const ending = await benchCommand(main)
  .parseAsync()
  .then(() => ({ code: 0, message: "" }), endingOf);
if (ending.message !== "") console.error(ending.message);
process.exit(ending.code); // Dawn's threads would delay a natural end
