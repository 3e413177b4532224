/** Neural collapse over a run: NC1–NC5 of every checkpoint on its training features. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { sumSquares } from "../neco/arrays.ts";
import { neuralCollapse, type NcInput, type NcJson, type NcMetrics } from "../neco/index.ts";
import { DataError } from "../util/errors.ts";
import { startProgress } from "./console.ts";
import { OpenFiles } from "./feature-sets.ts";
import { loadRunModel } from "./models.ts";
import { isDataset, type NamedFile } from "./options.ts";
import {
  openOodImages,
  openRunAt,
  runSplit,
  wantedSets,
  type OodImages,
  type OpenRun,
} from "./run-features.ts";
import { listSteps, runPath, saveJson } from "./run-folder.ts";

/** Settings that hold for all checkpoints. */
export type NcSettings = Pick<NcInput, "rcond" | "mseWeightDecay" | "loss">;

/** The settings for a model whose parameters are all at hand. */
function settingsFor({ model }: OpenRun, { loss, ...settings }: NcSettings): NcSettings {
  if (loss === undefined) return settings;
  const squares = [...model.values.values()].reduce((sum, values) => sum + sumSquares(values), 0);
  return { ...settings, loss: { ...loss, squares } };
}

/** Metrics of one checkpoint. */
async function ncAtStep(
  engine: Engine,
  run: OpenRun,
  images: readonly OodImages[],
  settings: NcSettings,
): Promise<NcMetrics> {
  const files = new OpenFiles();
  try {
    const own = { dataset: run.dataset, split: "train", name: "ID train" } as const;
    const features = await runSplit(engine, run, files, own);
    const ood: FeatureSource[] = [];
    for (const set of images) ood.push(await runSplit(engine, run, files, set));
    return await neuralCollapse(engine, {
      features,
      weights: run.model.head,
      ood,
      ...settingsFor(run, settings),
    });
  } finally {
    await files.close();
  }
}

/**
 * Metrics of every checkpoint of a run, written to nc.json; those of the last stand at the top.
 * @throws DataError if the run has no checkpoint.
 */
export async function ncOfRun(
  engine: Engine,
  folder: string,
  named: readonly NamedFile[],
  settings: NcSettings = {},
): Promise<NcJson> {
  const base = await openRunAt(folder, "last");
  const images = await openOodImages(base, wantedSets(base.config, named).filter(isDataset));
  const steps = await listSteps(folder);
  const progress = startProgress("neural collapse", steps.length);
  const rows: (NcMetrics & { step: number })[] = [];
  let last: NcMetrics | null = null;
  for (const step of steps) {
    const run = { ...base, model: await loadRunModel(folder, step) };
    last = await ncAtStep(engine, run, images, settings);
    rows.push({ step, ...last });
    progress.update(rows.length);
  }
  progress.stop();
  if (last === null) throw new DataError(`${folder} holds no checkpoint yet`);
  const adapter = engine.adapter.description;
  const json: NcJson = { schema: "neco-webgpu/nc@1", adapter, ...last, steps: rows };
  await saveJson(runPath(folder, "nc"), json);
  return json;
}
