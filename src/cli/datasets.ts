/** Data sets by name for the commands, and what configuration files say about them. */
import { resolve } from "node:path";
import { exists } from "#platform";
import { toGeometry } from "../data/convert.ts";
import { SPLIT_NAMES, type ImageDataset, type SplitName } from "../data/dataset.ts";
import { describeDatasets, loadDataset, parseSpec } from "../data/registry.ts";
import type { DatasetFacts, OodGroup, RunConfig } from "../report/index.ts";
import { DataError } from "../util/errors.ts";

/** What a run's configuration says of a data set. */
export const datasetFacts = (dataset: ImageDataset, spec: string): DatasetFacts => ({
  spec,
  name: dataset.name,
  title: dataset.title,
  credit: dataset.credit,
  hash: dataset.hash,
  classes: dataset.classes,
  counts: Object.fromEntries(SPLIT_NAMES.map((name) => [name, dataset.splits[name].count])),
});

/** A name as it is, a path as an absolute one: what a run can be resumed by from any folder. */
export async function lastingSpec(spec: string): Promise<string> {
  const { source } = parseSpec(spec);
  const isName = describeDatasets().some(({ name }) => name === source);
  return !isName && (await exists(source)) ? resolve(source) + spec.slice(source.length) : spec;
}

/**
 * The ID data set of a run, checked to be the one that it was trained on.
 * @throws DataError if its bytes differ now.
 */
export async function runDataset({ dataset, recipe }: RunConfig): Promise<ImageDataset> {
  const loaded = await loadDataset(dataset.spec);
  if (loaded.hash !== dataset.hash)
    throw new DataError(
      `${dataset.name} is not what this run was trained on (sha256 ${loaded.hash.slice(0, 12)}…, then ${dataset.hash.slice(0, 12)}…): fetch the same data again, or train anew`,
    );
  return inputOf(loaded, recipe);
}

/** The data set in the channels and normalisation of a run, as its recipe records them. */
export function inputOf(dataset: ImageDataset, recipe: RunConfig["recipe"]): ImageDataset {
  const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);
  const [mean, std] = [numbers(recipe["mean"]), numbers(recipe["std"])];
  if (mean.length === 0 || std.length === 0) return dataset;
  const channels = mean.length === 1 ? 1 : 3;
  return toGeometry(dataset, { ...dataset, channels, mean, std });
}

/** The split that an OOD set is judged by: test if it has one, else validation, else train. */
export function oodSplit({ splits }: ImageDataset): SplitName {
  const order = ["test", "val", "train"] as const;
  return order.find((name) => splits[name].count > 0) ?? "test";
}

/** The group of a data set that says so itself: noise is a control. */
export function inherentGroup(spec: string): OodGroup {
  const { source } = parseSpec(spec);
  const entry = describeDatasets().find(({ name }) => name === source);
  return entry?.kind === "control" ? "control" : "other";
}
