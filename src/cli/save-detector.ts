/** Makes a detector of an evaluation's methods, and saves one of feature files. */
import type { Engine } from "../engine/index.ts";
import { createDetector, type Evaluation, type FittedScore } from "../neco/index.ts";
import { needsPeers } from "../neco/score.ts";
import { figure, methodTitle } from "../report/index.ts";
import { DataError } from "../util/errors.ts";
import { note } from "./console.ts";
import type { FeatureSets } from "./feature-sets.ts";

/** NECO, else the first method that one network is enough for: a file holds no more. */
export function detectorScore(fitted: readonly FittedScore[]): FittedScore | null {
  const alone = fitted.filter(({ score }) => !needsPeers(score));
  return alone.find(({ score }) => score.name === "neco") ?? alone[0] ?? null;
}

/**
 * Saves the detector of an evaluation of feature files, with its threshold on ID validation.
 * @throws DataError if no method that gave results can be saved.
 */
export async function saveDetector(
  engine: Engine,
  { val, head }: FeatureSets,
  { fitted, json }: Evaluation,
  { path, recall }: { readonly path: string; readonly recall: number | undefined },
): Promise<void> {
  const chosen = detectorScore(fitted.filter(({ score }) => score.name in json.results));
  if (chosen === null || val === null)
    throw new DataError("no detector can be saved: no method that fits one file gave results");
  const detector = await createDetector({
    engine,
    fitted: chosen,
    validation: val,
    head,
    ...(recall === undefined ? {} : { recall }),
  });
  await detector.save(path);
  note(
    `${path}: ${methodTitle(detector.spec.method)}, out of distribution below ${figure(detector.spec.threshold)}`,
  );
  detector.dispose();
}
