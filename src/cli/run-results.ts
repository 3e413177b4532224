/** Writes what an OOD evaluation found into the run's folder: results, figures' data, detector. */
import type { Engine } from "../engine/index.ts";
import { createDetector, type Detector, type Evaluation } from "../neco/index.ts";
import { needsImages } from "../neco/score.ts";
import type { RunConfig, SweepJson } from "../report/index.ts";
import { oodNotes, type OodSetNote } from "./credits.ts";
import { collectExamples, type ExampleSet } from "./examples.ts";
import type { FeatureSets } from "./feature-sets.ts";
import { saveScores } from "./ood-outputs.ts";
import { sweepOf } from "./ood-figures.ts";
import { pcaOf } from "./plane.ts";
import type { OpenRun, RunSets } from "./run-features.ts";
import { openRun, runPath, saveJson } from "./run-folder.ts";
import { detectorScore } from "./save-detector.ts";

/** An evaluation of a run's feature sets. */
export interface RunEvaluation {
  readonly sets: FeatureSets;
  readonly evaluation: Evaluation;
  readonly sweep: SweepJson | null;
}

const isRunSets = (sets: FeatureSets): sets is RunSets => "run" in sets;

/** Records the OOD sets in the run's configuration, so that later commands and the report know them. */
async function noteOodSets(folder: string, sets: readonly OodSetNote[]): Promise<void> {
  const config = await openRun(folder);
  const names = new Set(sets.map(({ name }) => name));
  const kept = oodNotes(config).filter(({ name }) => !names.has(name));
  const ood = [...kept, ...sets].map(({ name, spec, group, title, credit, hash, n }) => ({
    name,
    spec,
    group,
    title,
    credit,
    hash,
    n,
  }));
  const noted: RunConfig = { ...config, notes: { ...config.notes, ood } };
  await saveJson(runPath(folder, "config"), noted);
}

/** Weights under their names, flat: the configuration beside them tells the shapes. */
const modelArrays = ({
  values,
}: OpenRun["model"]): Record<string, { shape: number[]; values: Float32Array }> =>
  Object.fromEntries(
    [...values].map(([name, array]) => [name, { shape: [array.length], values: array }]),
  );

/** The detector of the run: NECO (else the first method) with its threshold on ID validation. */
async function makeDetector(
  engine: Engine,
  { run, val, network }: RunSets,
  { fitted }: Evaluation,
): Promise<Detector | null> {
  const chosen = detectorScore(fitted);
  if (chosen === null || val === null) return null;
  const { height, width, channels, mean, std } = run.dataset;
  return createDetector({
    engine,
    fitted: chosen,
    validation: val,
    head: run.model.head,
    classes: run.config.dataset.classes,
    preprocessing: { height, width, channels, mean, std },
    model: { ...run.model.config },
    modelArrays: modelArrays(run.model),
    network: needsImages(chosen.score) ? network() : null,
  });
}

function exampleSets({ run, test, ood, images }: RunSets): ExampleSet[] {
  const unknown = images.flatMap((set): ExampleSet[] => {
    const source = ood.find((one) => one.source.name === set.name)?.source;
    return source === undefined ? [] : [{ ...set, source, isId: false }];
  });
  const known = {
    name: "ID test",
    dataset: run.dataset,
    split: "test",
    source: test,
  } as const;
  return [{ ...known, isId: true }, ...unknown];
}

/** Writes ood.json, scores.npz, sweep.json, pca.json, examples.json and detector.safetensors. */
export async function saveRunOod(
  engine: Engine,
  folder: string,
  { sets, evaluation, sweep }: RunEvaluation,
): Promise<void> {
  await saveJson(runPath(folder, "ood"), evaluation.json);
  await saveScores(runPath(folder, "scores"), evaluation.scores);
  const curves = sweep ?? (await sweepOf(engine, sets, evaluation));
  if (curves !== null) await saveJson(runPath(folder, "sweep"), curves);
  if (!isRunSets(sets)) return;
  await noteOodSets(folder, sets.images);
  const ood = sets.ood.map(({ source }) => source);
  const { classes } = sets.run.config.dataset;
  const plane = { statistics: evaluation.train, test: sets.test, ood, classes };
  await saveJson(runPath(folder, "pca"), await pcaOf(engine, plane));
  const detector = await makeDetector(engine, sets, evaluation);
  if (detector === null) return;
  await detector.save(runPath(folder, "detector"));
  await saveJson(runPath(folder, "examples"), await collectExamples(detector, exampleSets(sets)));
  detector.dispose();
}
