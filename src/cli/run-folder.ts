/** A run folder: where each file of a run lies, read and written so that a crash leaves no half of one. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { appendLine, exists, listFolder, makeFolder, readBytes, writeAtomic } from "#platform";
import { isRecord } from "../io/json.ts";
import type { MetricRow, RunConfig } from "../report/index.ts";
import { DataError, FormatError } from "../util/errors.ts";
import { jsonText } from "./json-text.ts";

/** Names of the files of a run, relative to its folder. */
export const RUN_FILES = {
  config: "config.json",
  metrics: "metrics.jsonl",
  ood: "ood.json",
  nc: "nc.json",
  pca: "pca.json",
  sweep: "sweep.json",
  scores: "scores.npz",
  examples: "examples.json",
  detector: "detector.safetensors",
  report: "report.html",
} as const;

/** A file of a run. */
export type RunFile = keyof typeof RUN_FILES;

/** The path of a file of the run. */
export const runPath = (folder: string, file: RunFile): string => join(folder, RUN_FILES[file]);

/** The path of a checkpoint. */
export const checkpointPath = (folder: string, step: number): string =>
  join(folder, "checkpoints", `step-${step}.safetensors`);

/** The path of the features of a data set's split at a step. */
export const featuresPath = (
  folder: string,
  { dataset, split, step }: { dataset: string; split: string; step: number },
): string =>
  join(folder, "features", `${dataset.replace(/[^\w.-]+/g, "-")}-${split}-step${step}.npz`);

/** The path of what a method was fitted to, or gave a set, where it looked into the network. */
export const keptScoresPath = (folder: string, name: string, step: number): string =>
  join(folder, "kept-scores", `${name.replace(/[^\w.-]+/g, "-")}-step${step}.safetensors`);

const isRunConfig = (value: unknown): value is RunConfig =>
  isRecord(value) &&
  value["schema"] === "neco-webgpu/run@1" &&
  isRecord(value["dataset"]) &&
  typeof value["dataset"]["spec"] === "string" &&
  isRecord(value["model"]) &&
  isRecord(value["recipe"]) &&
  isRecord(value["adapter"]) &&
  typeof value["seed"] === "number";

const isMetricRow = (value: unknown): value is MetricRow =>
  isRecord(value) &&
  (value["type"] === "train" || value["type"] === "eval") &&
  typeof value["step"] === "number";

/**
 * Parsed JSON of a file.
 * @throws FormatError if it is no JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, "is no JSON; it was damaged, make it again", { cause });
  }
}

/** Parsed JSON of a file that may be missing; null then, or if it says another schema. */
export async function readOptional<T>(
  path: string,
  isWanted: (value: unknown) => value is T,
): Promise<T | null> {
  if (!(await exists(path))) return null;
  const value = await readJson(path);
  return isWanted(value) ? value : null;
}

/** A predicate for JSON files that name their schema; the writer is this program. */
export const hasSchema =
  <T extends { readonly schema: string }>(schema: T["schema"]) =>
  (value: unknown): value is T =>
    isRecord(value) && value["schema"] === schema;

/** Writes JSON, whole or not at all. */
export const saveJson = (path: string, value: unknown): Promise<void> =>
  writeAtomic(path, jsonText(value));

/**
 * Starts a run in a folder.
 * @throws DataError if the folder holds a run already, or cannot be written.
 */
export async function createRun(folder: string, config: RunConfig): Promise<void> {
  if (await exists(runPath(folder, "config")))
    throw new DataError(
      `${folder} holds a run already: go on with it by --resume ${folder}, or choose another --out`,
    );
  await makeFolder(join(folder, "checkpoints"));
  await saveJson(runPath(folder, "config"), config);
}

/**
 * The configuration of the run in a folder.
 * @throws DataError if there is no run.
 * @throws FormatError if its configuration is no run's.
 */
export async function openRun(folder: string): Promise<RunConfig> {
  const path = runPath(folder, "config");
  if (!(await exists(path)))
    throw new DataError(
      `${folder} holds no run (no ${RUN_FILES.config}): check the path, or make one with neco train --out ${folder}`,
    );
  const config = await readJson(path);
  if (!isRunConfig(config))
    throw new FormatError(path, "is no configuration of a run (neco-webgpu/run@1)");
  return config;
}

/** Steps that have a checkpoint, ascending; files of other names are ignored. */
export async function listSteps(folder: string): Promise<number[]> {
  const path = join(folder, "checkpoints");
  if (!(await exists(path))) return [];
  const names = await listFolder(path);
  return names
    .map((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Rows of the metrics log; a last line that a crash cut short is left out. */
export async function readMetrics(folder: string): Promise<MetricRow[]> {
  const path = runPath(folder, "metrics");
  if (!(await exists(path))) return [];
  const lines = new TextDecoder().decode(await readBytes(path)).split("\n");
  return lines.flatMap((line) => {
    try {
      const row: unknown = JSON.parse(line);
      return isMetricRow(row) ? [row] : [];
    } catch {
      return [];
    }
  });
}

/** Adds a row to the metrics log. */
export const appendMetrics = (folder: string, row: MetricRow): Promise<void> =>
  appendLine(runPath(folder, "metrics"), JSON.stringify(row));

/** Drops the rows after a step, so that a resumed run does not log them twice. */
export async function truncateMetrics(folder: string, step: number): Promise<void> {
  const rows = (await readMetrics(folder)).filter((row) => row.step <= step);
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  if (await exists(runPath(folder, "metrics"))) await writeAtomic(runPath(folder, "metrics"), text);
}

/** The step whose ID validation accuracy is highest, the earliest of equals; never chosen on test. */
export function bestStep(metrics: readonly MetricRow[], steps: readonly number[]): number | null {
  let best: { step: number; accuracy: number } | null = null;
  for (const row of metrics) {
    if (row.type !== "eval" || row.split !== "val" || !steps.includes(row.step)) continue;
    if (best === null || row.accuracy > best.accuracy) best = row;
  }
  return best?.step ?? null;
}

/**
 * The step that `--step` names: a number, `last` or `best`.
 * @throws DataError if the run has no such checkpoint; the message lists those it has.
 */
export async function resolveStep(folder: string, wanted: string): Promise<number> {
  const steps = await listSteps(folder);
  const last = steps[steps.length - 1];
  if (last === undefined)
    throw new DataError(`${folder} holds no checkpoint yet: let neco train reach one`);
  if (wanted === "last") return last;
  if (wanted === "best") return bestStep(await readMetrics(folder), steps) ?? last;
  const step = Number(wanted);
  if (!steps.includes(step))
    throw new DataError(
      `${folder} holds no checkpoint of step ${wanted}; there are ${steps.join(", ")}, "last" and "best"`,
    );
  return step;
}

/** Removes checkpoints; those already gone are no error. */
export async function removeCheckpoints(folder: string, steps: readonly number[]): Promise<void> {
  await Promise.all(steps.map((step) => rm(checkpointPath(folder, step), { force: true })));
}

/** Makes the folder of feature files. */
export const makeFeaturesFolder = async (folder: string): Promise<void> => {
  await makeFolder(join(folder, "features"));
};

/** Makes the folder of kept scores. */
export const makeKeptScoresFolder = async (folder: string): Promise<void> => {
  await makeFolder(join(folder, "kept-scores"));
};
