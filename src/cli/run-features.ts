/** Feature sets of a run: extracted where they are missing, kept in the run's folder. */
import type { ImageDataset, SplitName } from "../data/dataset.ts";
import { loadOod } from "../data/registry.ts";
import type { Engine } from "../engine/index.ts";
import type { FeatureFile } from "../io/index.ts";
import type { OodSet } from "../neco/evaluate.ts";
import type { RunConfig } from "../report/index.ts";
import { UsageError } from "../util/errors.ts";
import { oodNotes, type OodSetNote } from "./credits.ts";
import { inherentGroup, oodSplit, runDataset } from "./datasets.ts";
import { ensureFeatures } from "./extract-features.ts";
import {
  checkGroups,
  groupOf,
  OpenFiles,
  type FeatureSets,
  type GroupOptions,
} from "./feature-sets.ts";
import { loadRunModel, type LoadedModel } from "./models.ts";
import { isFeatureFile, type NamedFile } from "./options.ts";
import { featuresPath, makeFeaturesFolder, openRun, resolveStep } from "./run-folder.ts";

/** A run opened for evaluation. */
export interface OpenRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly model: LoadedModel;
  readonly dataset: ImageDataset;
}

/** An OOD data set of a run with its images, for examples and credits. */
export interface OodImages extends OodSetNote {
  readonly dataset: ImageDataset;
  readonly split: SplitName;
}

/** Feature sets that know where their images are. */
export interface RunSets extends FeatureSets {
  readonly run: OpenRun;
  /** Sets that were extracted here, not given as files. */
  readonly images: readonly OodImages[];
}

/** Which checkpoint and sets to open. */
export interface RunRequest extends GroupOptions {
  readonly step: string;
  readonly ood: readonly NamedFile[];
}

/** Opens a run at a step. */
export async function openRunAt(folder: string, step: string): Promise<OpenRun> {
  const config = await openRun(folder);
  const model = await loadRunModel(folder, await resolveStep(folder, step));
  return { folder, config, model, dataset: await runDataset(config) };
}

/** The features of a split under the run's model, extracted or kept. */
export async function runSplit(
  engine: Engine,
  { folder, model }: Pick<OpenRun, "folder" | "model">,
  files: OpenFiles,
  { dataset, split, name }: { dataset: ImageDataset; split: SplitName; name: string },
): Promise<FeatureFile> {
  await makeFeaturesFolder(folder);
  const path = featuresPath(folder, { dataset: dataset.name, split, step: model.step });
  await ensureFeatures(engine, { model, dataset, split }, path);
  return files.open(path, name);
}

/** OOD data sets, in the geometry of the run's own. */
export async function openOodImages(
  { config, dataset: id }: Pick<OpenRun, "config" | "dataset">,
  wanted: readonly NamedFile[],
  groups: GroupOptions = {},
): Promise<OodImages[]> {
  const known = new Map(oodNotes(config).map((note) => [note.name, note]));
  const sets: OodImages[] = [];
  for (const { name, file } of wanted) {
    const spec = file ?? known.get(name)?.spec ?? name;
    const dataset = await loadOod(spec, id);
    const split = oodSplit(dataset);
    const group = groupOf(name, groups, known.get(name)?.group ?? inherentGroup(spec));
    const { title, credit, hash } = dataset;
    const n = dataset.splits[split].count;
    sets.push({ name, spec, group, title, credit, hash, n, dataset, split });
  }
  return sets;
}

/** The OOD sets that a command names, else those that the run knows. */
export const wantedSets = (config: RunConfig, named: readonly NamedFile[]): readonly NamedFile[] =>
  named.length > 0 ? named : oodNotes(config).map(({ name, spec }) => ({ name, file: spec }));

/** Whether a named set is a data set, whose features are extracted here. */
export const isDataset = ({ file }: NamedFile): boolean => file === null || !isFeatureFile(file);

/**
 * Everything that `neco ood --run` evaluates.
 * @throws UsageError if no OOD set is named and the run knows none.
 */
export async function openRunSets(
  engine: Engine,
  folder: string,
  request: RunRequest,
): Promise<RunSets> {
  const run = await openRunAt(folder, request.step);
  const wanted = wantedSets(run.config, request.ood);
  if (wanted.length === 0)
    throw new UsageError("no OOD set: give at least one --ood NAME or NAME=FILE");
  checkGroups(
    request,
    wanted.map(({ name }) => name),
  );
  const images = await openOodImages(run, wanted.filter(isDataset), request);
  const files = new OpenFiles();
  try {
    const { dataset } = run;
    const own = (split: SplitName, name: string): Promise<FeatureFile> =>
      runSplit(engine, run, files, { dataset, split, name });
    const train = await own("train", "ID train");
    const test = await own("test", "ID test");
    const val = dataset.splits.val.count > 0 ? await own("val", "ID validation") : null;
    const ood: OodSet[] = [];
    for (const { name, file } of wanted) {
      const set = images.find((candidate) => candidate.name === name);
      const source =
        set === undefined
          ? await files.open(file ?? name, name)
          : await runSplit(engine, run, files, set);
      ood.push({ source, group: set?.group ?? groupOf(name, request) });
    }
    return { train, test, val, head: run.model.head, ood, run, images, close: () => files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}
