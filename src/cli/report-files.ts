/** `neco report FILE…`: a page of what `neco ood --json` and `neco nc --json` wrote, without a run. */
import { exists } from "#platform";
import type { NcJson, OodJson } from "../report/index.ts";
import { DataError, FormatError, UsageError } from "../util/errors.ts";
import { note } from "./console.ts";
import { groupsOf } from "./credits.ts";
import { writeTables, type OodOutputs } from "./ood-outputs.ts";
import { checkOutputs } from "./outputs.ts";
import { resultsInput, writePage, type Results } from "./report-page.ts";
import { hasSchema, readJson } from "./run-folder.ts";

/** Whether a path names results rather than a run's folder. */
export const isResultsFile = (path: string): boolean => path.toLowerCase().endsWith(".json");

/** True for what `neco ood --json` writes. */
export const isOodJson = hasSchema<OodJson>("neco-webgpu/ood@1");

const isNcJson = hasSchema<NcJson>("neco-webgpu/nc@1");

/** Where the page and the tables go. */
export interface FilesOutputs extends Pick<OodOutputs, "csv" | "latex"> {
  /** Default: beside the first file, as .html. */
  readonly out?: string;
  readonly title?: string;
}

/**
 * The results in the files, known by their schema.
 * @throws DataError if a file does not exist.
 * @throws FormatError if one holds something else.
 * @throws UsageError if two hold results of neco ood, or checkpoints do not go together.
 */
async function readFiles(paths: readonly string[]): Promise<Results> {
  let ood: OodJson | null = null;
  const checkpoints: NcJson[] = [];
  for (const path of paths) {
    if (!(await exists(path)))
      throw new DataError(
        `${path} does not exist: check the path, or make it with neco ood --json`,
      );
    const found = await readJson(path);
    if (isOodJson(found) && ood === null) ood = found;
    else if (isNcJson(found)) checkpoints.push(found);
    else if (isOodJson(found))
      throw new UsageError(
        `${path} is a second file of neco ood: a page shows one; --runs A B makes mean ± standard deviation of several`,
      );
    else
      throw new FormatError(path, "holds no results of neco ood or neco nc (--json writes them)");
  }
  return { ood, nc: joinCheckpoints(checkpoints) };
}

/**
 * Several files of neco nc as one training, by step.
 * @throws UsageError if one of them does not say its step, or two say the same.
 */
function joinCheckpoints(files: readonly NcJson[]): NcJson | null {
  const [first] = files;
  if (first === undefined || files.length === 1) return first ?? null;
  const steps = files
    .flatMap((file) => {
      if (file.steps === undefined)
        throw new UsageError(
          "several files of neco nc are checkpoints of one training: make each with --step N",
        );
      return file.steps;
    })
    .sort((a, b) => a.step - b.step);
  const twice = steps.find(({ step }, index) => steps[index - 1]?.step === step);
  if (twice !== undefined)
    throw new UsageError(`two files of neco nc are of step ${twice.step}: give each its own`);
  return { ...first, ...steps[steps.length - 1], steps };
}

/** What the page of such results cannot show, and how it would. */
function missingNote({ distributions, sweep, pca }: OodJson): string | null {
  const missing = [
    ...(distributions === undefined ? ["score histograms and ROC"] : []),
    ...(sweep === undefined ? ["the sweep over d"] : []),
    ...(pca === undefined ? ["the features in the plane"] : []),
  ];
  return missing.length === 0
    ? null
    : `not in the results, so not on the page: ${missing.join(", ")}; neco ood --html FILE draws all, and --json beside it keeps all`;
}

/** Writes a page of result files, and the tables that were asked for. */
export async function reportFiles(paths: readonly string[], outputs: FilesOutputs): Promise<void> {
  const out = outputs.out ?? (paths[0] ?? "").replace(/\.json$/i, ".html");
  await checkOutputs([out, outputs.csv, outputs.latex]);
  const results = await readFiles(paths);
  const { ood } = results;
  if (ood !== null) {
    await writeTables(ood, groupsOf(null, ood), outputs);
    const missing = ood.runs === undefined ? missingNote(ood) : null;
    if (missing !== null) note(missing);
  } else if (outputs.csv !== undefined || outputs.latex !== undefined)
    throw new UsageError(
      "--csv and --latex are tables of OOD results: give a file of neco ood too",
    );
  await writePage(out, resultsInput({ ...results, title: outputs.title }));
  note(`report: ${out}`);
}
