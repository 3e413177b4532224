/** Feature sets of a run: extracted where they are missing, kept in the run's folder. */
import type { ImageDataset, SplitName } from "../data/dataset.ts";
import { loadOod } from "../data/registry.ts";
import { ParamSet, type Engine } from "../engine/index.ts";
import { vitImageModel } from "../image-model.ts";
import type { FeatureFile, FeatureSource } from "../io/index.ts";
import type { OodSet } from "../neco/evaluate.ts";
import type { ImageModel } from "../neco/imageModel.ts";
import type { RunConfig } from "../report/index.ts";
import { UsageError } from "../util/errors.ts";
import { paramSpecs, transformOf } from "../vit/index.ts";
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
import { isDataset, type NamedFile } from "./options.ts";
import { runScoreCache } from "./score-cache.ts";
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
  readonly network: () => ImageModel;
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

/** The features of a split under the run's model, extracted or kept; its images are at hand. */
export async function runSplit(
  engine: Engine,
  { folder, model }: Pick<OpenRun, "folder" | "model">,
  files: OpenFiles,
  { dataset, split, name }: { dataset: ImageDataset; split: SplitName; name: string },
): Promise<FeatureFile> {
  await makeFeaturesFolder(folder);
  const path = featuresPath(folder, { dataset: dataset.name, split, step: model.step });
  await ensureFeatures(engine, { model, dataset, split }, path);
  const file = await files.open(path, name);
  const { key } = file.metadata;
  const images = (start: number, count: number): Promise<Uint8Array> =>
    dataset.splits[split].images(Array.from({ length: count }, (_, row) => start + row));
  return { ...file, images, ...(key === undefined ? {} : { key }) };
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

/** The OOD sets of an evaluation: at least one, and all that the groups name. */
function checkedSets(config: RunConfig, request: RunRequest): readonly NamedFile[] {
  const wanted = wantedSets(config, request.ood);
  if (wanted.length === 0)
    throw new UsageError("no OOD set: give at least one --ood NAME or NAME=FILE");
  checkGroups(
    request,
    wanted.map(({ name }) => name),
  );
  return wanted;
}

/** The run's network as scores look into it, made at the first call. */
function lazyNetwork(
  engine: Engine,
  { model: { config, values }, dataset }: Pick<OpenRun, "model" | "dataset">,
): { network: () => ImageModel; dispose: () => void } {
  let params: ParamSet | null = null;
  let network: ImageModel | null = null;
  return {
    network() {
      params ??= engine.detached(() => new ParamSet(engine, paramSpecs(config, values)));
      const transform = transformOf(dataset, config, null);
      network ??= vitImageModel(engine, { config, weights: params, transform });
      return network;
    },
    dispose: () => params?.dispose(),
  };
}

/** A data set's features as an OOD validation set: of its validation split, if it has one. */
async function openValidation(
  engine: Engine,
  run: OpenRun,
  files: OpenFiles,
  set: NamedFile,
): Promise<FeatureSource> {
  const [images] = await openOodImages(run, [set]);
  if (images === undefined) throw new RangeError("one set was asked for");
  const { name, dataset } = images;
  const split = dataset.splits.val.count > 0 ? "val" : images.split;
  return runSplit(engine, run, files, { name, dataset, split });
}

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
  const wanted = checkedSets(run.config, request);
  const images = await openOodImages(run, wanted.filter(isDataset), request);
  const files = new OpenFiles();
  const { network, dispose } = lazyNetwork(engine, run);
  const close = async (): Promise<void> => {
    dispose();
    await files.close();
  };
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
    const openDataset = (set: NamedFile): Promise<FeatureSource> =>
      openValidation(engine, run, files, set);
    const cache = runScoreCache(engine, run);
    const features = { train, test, val, head: run.model.head, ood };
    return { ...features, openDataset, network, cache, run, images, close };
  } catch (error) {
    await close();
    throw error;
  }
}
