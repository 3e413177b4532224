/** Writes report pages, also of results that belong to no run. */
import { parseHTML } from "linkedom";
import { writeAtomic } from "#platform";
import { renderReport, type NcJson, type OodJson, type ReportInput } from "../report/index.ts";
import { groupsOf } from "./credits.ts";
import { packageVersion } from "./program.ts";

/** Results without a run. */
export interface Results {
  readonly ood: OodJson | null;
  readonly nc: NcJson | null;
  readonly title?: string | undefined;
}

const MAX_NAMES = 5; // of sets in a title

/** What a page of these results is called. */
function titleOf({ ood, nc }: Results): string {
  if (ood === null) return "Neural collapse";
  const sets = Object.keys(Object.values(ood.results)[0]?.sets ?? {});
  const names = sets.length <= MAX_NAMES ? sets.join(", ") : `${sets.length} sets`;
  return `${nc === null ? "" : "Neural collapse and "}OOD detection: ${names}`;
}

/** What a page of results alone shows: tables, and every figure whose data they hold. */
export const resultsInput = (results: Results): ReportInput => ({
  title: results.title ?? titleOf(results),
  generated: new Date().toISOString(),
  version: packageVersion(),
  config: null,
  metrics: [],
  ood: results.ood,
  groups: groupsOf(null, results.ood),
  distributions: results.ood?.distributions ?? {},
  sweep: results.ood?.sweep ?? null,
  nc: results.nc,
  pca: results.ood?.pca ?? null,
  examples: null,
  credits: [],
});

/** Renders a page and writes it, whole or not at all. */
export async function writePage(path: string, input: ReportInput): Promise<void> {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  await writeAtomic(path, renderReport(input, document));
}
