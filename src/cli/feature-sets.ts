/** The features, labels and head that an evaluation stands on, opened from files. */
import { exists } from "#platform";
import {
  checkHead,
  findHead,
  openArrays,
  openFeatures,
  openHead,
  type FeatureFile,
  type FeatureSource,
  type Head,
} from "../io/index.ts";
import { assertFit, assertNames } from "../neco/checkSets.ts";
import type { OodSet } from "../neco/evaluate.ts";
import type { ImageModel } from "../neco/imageModel.ts";
import type { ScoreCache } from "../neco/scoreCache.ts";
import type { OodGroup } from "../report/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { isFeatureFile, type NamedFile } from "./options.ts";

/** What `neco ood` and `neco nc` work on. */
export interface FeatureSets {
  readonly train: FeatureSource;
  readonly test: FeatureSource;
  readonly val: FeatureSource | null;
  readonly head: Head | null;
  readonly ood: readonly OodSet[];
  /** A run's network for scores that look into it, on the engine from the first call on. */
  readonly network?: () => ImageModel;
  /** Keeps the scores that took a look into the network in the run's folder. */
  readonly cache?: ScoreCache;
  /** An OOD data set by name, as a run can extract its features; for validation. */
  readonly openDataset?: (set: NamedFile) => Promise<FeatureSource>;
  close(): Promise<void>;
}

/** Names of OOD sets by group, from `--near`, `--far` and `--control`. */
export interface GroupOptions {
  readonly near?: readonly string[];
  readonly far?: readonly string[];
  readonly control?: readonly string[];
}

/** The group that the options give a set, else the one that is known of it. */
export function groupOf(name: string, options: GroupOptions, known: OodGroup = "other"): OodGroup {
  for (const group of ["near", "far", "control"] as const)
    if (options[group]?.includes(name) === true) return group;
  return known;
}

/**
 * Passes if every name that a group option lists is an OOD set.
 * @throws UsageError naming the one that is not, or that two groups list.
 */
export function checkGroups(options: GroupOptions, names: readonly string[]): void {
  const groups = new Map<string, string>();
  for (const group of ["near", "far", "control"] as const)
    for (const name of options[group] ?? []) {
      if (!names.includes(name))
        throw new UsageError(
          `--${group} ${name} is no OOD set of this command: --ood has ${names.join(", ")}`,
        );
      const other = groups.get(name) ?? group;
      if (other !== group)
        throw new UsageError(`--${other} ${name} --${group} ${name}: a set is in one group only`);
      groups.set(name, group);
    }
}

/** Opens files one after the other and closes them all together. */
export class OpenFiles {
  private readonly files: FeatureFile[] = [];

  /** Opens a feature file under a name. */
  async open(path: string, name: string): Promise<FeatureFile> {
    const file = await openFeatures(path, name);
    this.files.push(file);
    return file;
  }

  /** Closes every file. */
  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }
}

/**
 * Passes if the sets of a search go with the training set and the head.
 * @throws DataError naming the one that does not, its file and both sizes.
 */
export function assertSearchSets(
  { train, head }: FeatureSets,
  id: FeatureSource,
  ood: readonly FeatureSource[],
): void {
  const reference = { base: train, head };
  assertFit(reference, [id]);
  assertFit(reference, ood, "OOD validation set");
}

/** The head of its own file, else of the first feature file that holds one, else none. */
export async function findHeadIn(
  headFile: string | undefined,
  featureFiles: readonly string[],
  dim: number,
): Promise<Head | null> {
  if (headFile !== undefined) {
    const head = await openHead(headFile);
    checkHead(head, dim, headFile);
    return head;
  }
  for (const file of featureFiles.filter((path) => !path.toLowerCase().endsWith(".csv"))) {
    const store = await openArrays(file);
    try {
      const head = await findHead(store);
      if (head !== null) {
        checkHead(head, dim, file);
        return head;
      }
    } finally {
      await store.close();
    }
  }
  return null;
}

/**
 * The file of a named set.
 * @throws UsageError if only a name was given; data sets by name need a run to extract them with.
 */
export function fileOfSet({ name, file }: NamedFile, option: string): string {
  if (file === null || file === "")
    throw new UsageError(
      isFeatureFile(name)
        ? `${option} ${name} has no name: write ${option} NAME=${name}`
        : `${option} ${name} names no file: write ${option} ${name}=FILE, or use --run so that features can be extracted`,
    );
  if (!isFeatureFile(file))
    throw new UsageError(
      `${option} ${name}=${file}: feature files end in .npz, .npy, .safetensors or .csv; a data set needs --run`,
    );
  return file;
}

/** Files of an evaluation, as options name them. */
export interface FeatureFileOptions extends GroupOptions {
  readonly idTrain: string;
  readonly idTest: string;
  readonly idVal?: string;
  readonly head?: string;
  readonly ood: readonly NamedFile[];
}

/**
 * Opens the files of an evaluation.
 * @throws DataError if one is missing.
 */
export async function openFeatureSets(options: FeatureFileOptions): Promise<FeatureSets> {
  const files = new OpenFiles();
  try {
    const names = options.ood.map(({ name }) => name);
    checkGroups(options, names);
    for (const path of [options.idTrain, options.idTest])
      if (!(await exists(path))) throw new DataError(`${path} does not exist: check the path`);
    const train = await files.open(options.idTrain, "ID train");
    const test = await files.open(options.idTest, "ID test");
    const val =
      options.idVal === undefined ? null : await files.open(options.idVal, "ID validation");
    const ood: OodSet[] = [];
    for (const set of options.ood)
      ood.push({
        source: await files.open(fileOfSet(set, "--ood"), set.name),
        group: groupOf(set.name, options),
      });
    const head = await findHeadIn(options.head, [options.idTrain, options.idTest], train.dim);
    const sources = ood.map(({ source }) => source);
    assertNames(sources, ["id"]);
    assertFit({ base: train, head }, [test, ...(val === null ? [] : [val])]);
    assertFit({ base: train, head }, sources, "OOD set");
    return { train, test, val, head, ood, close: () => files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}
