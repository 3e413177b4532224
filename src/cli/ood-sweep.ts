/** NECO against d: shown for the test sets, used for choosing only with validation sets. */
import type { Engine } from "../engine/index.ts";
import { sweepDims } from "../neco/dsweep.ts";
import type { Evaluation } from "../neco/evaluate.ts";
import { fitScores } from "../neco/fit.ts";
import type { ScoreOptions } from "../neco/options.ts";
import { findScore } from "../neco/registry.ts";
import type { SweepJson } from "../report/index.ts";
import { UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { fileOfSet, OpenFiles, type FeatureSets } from "./feature-sets.ts";
import type { NamedFile } from "./options.ts";

/** The curves of the fitted NECO on the test sets; null if NECO was not among the methods. */
export async function sweepOf(
  engine: Engine,
  { test, ood, head }: FeatureSets,
  { fitted }: Evaluation,
): Promise<SweepJson | null> {
  const neco = fitted.find(({ score }) => score.name === "neco");
  if (neco === undefined) return null;
  const sources = ood.map(({ source }) => source);
  return sweepDims(engine, { state: neco.state, id: test, ood: sources, weights: head });
}

/** The first index of the largest value. */
const argmax = (values: readonly number[]): number =>
  values.reduce((best, value, index) => (value > at(values, best) ? index : best), 0);

/**
 * The d with the highest mean AUROC of ID validation against the OOD validation sets.
 * @throws UsageError without ID validation features.
 */
export async function chooseDim(
  engine: Engine,
  { train, val, head }: FeatureSets,
  oodVal: readonly NamedFile[],
  options: Partial<ScoreOptions>,
): Promise<number> {
  if (val === null) throw new UsageError("--search needs --id-val F");
  const files = new OpenFiles();
  try {
    const ood = [];
    for (const set of oodVal) ood.push(await files.open(fileOfSet(set, "--ood-val"), set.name));
    const scores = [findScore("neco")];
    const { fitted } = await fitScores({ engine, train, head, scores, options });
    const neco = fitted[0];
    if (neco === undefined)
      throw new UsageError("--search chooses NECO's d, which needs logits or --head");
    const { d, sets } = await sweepDims(engine, { state: neco.state, id: val, ood, weights: head });
    const means = d.map((_, index) =>
      Object.values(sets).reduce((sum, { auroc }) => sum + at(auroc, index), 0),
    );
    return at(d, argmax(means));
  } finally {
    await files.close();
  }
}
