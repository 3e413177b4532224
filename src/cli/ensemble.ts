/** `--ensemble`: further runs on a run's data, whose logits the method `ensemble` averages with the run's own. */
import type { SplitName } from "../data/dataset.ts";
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { UsageError } from "../util/errors.ts";
import { OpenFiles } from "./feature-sets.ts";
import { openOodImages, openRunAt, runSplit } from "./run-features.ts";
import type { OodImages, OpenRun, RunSets } from "./run-features.ts";

/**
 * Passes if a further run was trained on the data of the first.
 * @throws UsageError if its classes or its images are others.
 */
export function assertAlike(
  first: Pick<OpenRun, "folder" | "config">,
  other: Pick<OpenRun, "folder" | "config">,
): void {
  const [own, theirs] = [first.config.dataset, other.config.dataset];
  const list = (classes: readonly string[]): string => classes.slice(0, 12).join(", ");
  if (own.classes.join("\n") !== theirs.classes.join("\n"))
    throw new UsageError(
      `--ensemble ${other.folder} knows ${theirs.classes.length} classes (${list(theirs.classes)}), ${first.folder} ${own.classes.length} (${list(own.classes)}): an ensemble averages models of the same classes`,
    );
  if (own.hash !== theirs.hash)
    throw new UsageError(
      `--ensemble ${other.folder} was trained on ${theirs.spec}, ${first.folder} on ${own.spec}: an ensemble averages models of the same data`,
    );
}

/** A part of the evaluation's data as a further run sees it. */
type Part = { readonly split: "test" } | { readonly set: OodImages };

async function partOf(
  engine: Engine,
  run: OpenRun,
  files: OpenFiles,
  part: Part,
): Promise<FeatureSource> {
  if (!("set" in part))
    return runSplit(engine, run, files, {
      dataset: run.dataset,
      split: part.split,
      name: "ID test",
    });
  const { name, spec } = part.set;
  const [images] = await openOodImages(run, [{ name, file: spec }]);
  if (images === undefined) throw new RangeError("one set was asked for");
  const { dataset, split }: { dataset: OodImages["dataset"]; split: SplitName } = images;
  return runSplit(engine, run, files, { name, dataset, split });
}

/** A set with the logits that further runs give its rows; extracted where they are missing. */
async function withPeers(
  engine: Engine,
  source: FeatureSource,
  runs: readonly OpenRun[],
  { files, part }: { readonly files: OpenFiles; readonly part: Part },
): Promise<FeatureSource> {
  const peerLogits: NonNullable<FeatureSource["peerLogits"]>[number][] = [];
  for (const run of runs) {
    const { rows, logits } = await partOf(engine, run, files, part);
    if (logits === null || rows !== source.rows)
      throw new RangeError(`${run.folder}: ${source.name} was not extracted whole`);
    peerLogits.push(logits);
  }
  return { ...source, peerLogits };
}

/**
 * The sets of a run with the logits of further runs, each at its own best step. OOD sets that are
 * files stay as they are: nobody has their images. The sets are closed where this fails.
 * @throws UsageError if a run is of other classes or data, or comes twice.
 */
export async function withEnsemble(
  engine: Engine,
  sets: RunSets,
  folders: readonly string[],
): Promise<RunSets> {
  const files = new OpenFiles();
  const close = async (): Promise<void> => {
    await files.close();
    await sets.close();
  };
  try {
    const runs: OpenRun[] = [];
    for (const folder of folders) {
      const run = await openRunAt(folder, "best");
      assertAlike(sets.run, run);
      if ([sets.run, ...runs].some(({ model }) => model.hash === run.model.hash))
        throw new UsageError(`--ensemble ${folder} is a model that is already there: name others`);
      runs.push(run);
    }
    const test = await withPeers(engine, sets.test, runs, { files, part: { split: "test" } });
    const ood: RunSets["ood"][number][] = [];
    for (const one of sets.ood) {
      const set = sets.images.find(({ name }) => name === one.source.name);
      const source = set
        ? await withPeers(engine, one.source, runs, { files, part: { set } })
        : one.source;
      ood.push({ ...one, source });
    }
    return { ...sets, test, ood, close };
  } catch (error) {
    await close();
    throw error;
  }
}
