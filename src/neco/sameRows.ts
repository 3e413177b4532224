/** Whether sets that should differ hold the same features: a file given twice makes figures that mean nothing. */
import type { FeatureSource } from "../io/index.ts";
import { at } from "../util/shape.ts";

const BLOCK = 4096; // rows read at a time; nearly always the first of them differ

/** Whether two sources hold equal features, row by row. */
export async function sameRows(a: FeatureSource, b: FeatureSource): Promise<boolean> {
  if (a === b) return true;
  if (a.rows !== b.rows || a.dim !== b.dim) return false;
  for (let start = 0; start < a.rows; start += BLOCK) {
    const count = Math.min(BLOCK, a.rows - start);
    const [first, second] = await Promise.all([a.features(start, count), b.features(start, count)]);
    if (first.some((value, index) => value !== second[index])) return false;
  }
  return true;
}

/** The sets of an evaluation. */
export interface SetsToCompare {
  readonly train: FeatureSource;
  readonly id: FeatureSource;
  readonly ood: readonly FeatureSource[];
}

/** A warning for each pair of sets that hold the same features. */
export async function sameSetWarnings({ train, id, ood }: SetsToCompare): Promise<string[]> {
  const warnings: string[] = [];
  const sets = [train, id, ...ood];
  for (let later = 1; later < sets.length; later++)
    for (let earlier = 0; earlier < later; earlier++)
      if (await sameRows(at(sets, earlier), at(sets, later))) {
        const [one, other] = [at(sets, earlier).name, at(sets, later).name];
        warnings.push(
          `${other} holds the same ${id.dim}-dimensional rows as ${one}: was one file given twice?`,
        );
      }
  return warnings;
}
