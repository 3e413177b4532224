/** `neco report --runs`: several runs, such as one recipe under several seeds, as mean ± standard deviation. */
import { exists } from "#platform";
import { overRuns, summaryTable, type NamedResults } from "../report/index.ts";
import { DataError, FormatError, UsageError } from "../util/errors.ts";
import { note, print, writeJson } from "./console.ts";
import { groupsOf } from "./credits.ts";
import { writeTables, type OodOutputs } from "./ood-outputs.ts";
import { checkOutputs } from "./outputs.ts";
import { isOodJson, isResultsFile } from "./report-files.ts";
import { resultsInput, writePage } from "./report-page.ts";
import { openRun, readOptional, runPath } from "./run-folder.ts";

/** Where the results over runs go; the page only if `out` is given. */
export interface RunsOutputs extends Pick<OodOutputs, "json" | "csv" | "latex"> {
  readonly out?: string;
  readonly title?: string;
}

/** The results of a run folder, or of a file that `neco ood --json` wrote, with the run's seed. */
async function readResults(path: string): Promise<NamedResults & { readonly seed: number | null }> {
  const isFile = isResultsFile(path);
  const config = isFile ? null : await openRun(path);
  const file = isFile ? path : runPath(path, "ood");
  const ood = await readOptional(file, isOodJson);
  if (ood === null && (await exists(file)))
    throw new FormatError(file, "holds no results of neco ood (neco-webgpu/ood@1)");
  if (ood === null)
    throw new DataError(
      isFile
        ? `${path} does not exist: check the path, or make it with neco ood --json ${path}`
        : `${path} holds no OOD results yet: make them with neco ood --run ${path} --ood NAME`,
    );
  return { name: path, ood, seed: config?.seed ?? null };
}

function assertDistinct(paths: readonly string[]): void {
  const twice = paths.find((path, index) => paths.indexOf(path) < index);
  if (twice !== undefined)
    throw new UsageError(`--runs names ${twice} twice: one run is no two seeds`);
}

/**
 * Prints the table over runs and writes what was asked for.
 * @throws UsageError if a run is named twice.
 * @throws DataError if a run has no results, or there are fewer than two.
 */
export async function reportRuns(paths: readonly string[], outputs: RunsOutputs): Promise<void> {
  assertDistinct(paths);
  await checkOutputs([outputs.out, outputs.json, outputs.csv, outputs.latex]);
  const runs = [];
  for (const path of paths) runs.push(await readResults(path));
  const { ood, warnings } = overRuns(runs);
  const seeds = runs.flatMap(({ seed }) => seed ?? []);
  if (new Set(seeds).size < seeds.length)
    warnings.push(`runs share a seed (${seeds.join(", ")}): their spread is not that of seeds`);
  for (const warning of warnings) note(`warning: ${warning}`);
  for (const [method, reason] of Object.entries(ood.skipped)) note(`left out ${method}: ${reason}`);
  const groups = groupsOf(null, ood);
  if (outputs.json !== undefined) await writeJson(outputs.json, ood);
  await writeTables(ood, groups, outputs);
  if (outputs.out !== undefined) {
    const title = outputs.title ?? `OOD detection over ${ood.runs ?? 0} runs`;
    await writePage(outputs.out, resultsInput({ ood, nc: null, title }));
    note(`report: ${outputs.out}`);
  }
  if (outputs.json !== "-") print(summaryTable(ood, groups));
}
