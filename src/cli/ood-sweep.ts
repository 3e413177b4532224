/** NECO against d, shown for the test sets and never used for choosing. */
import type { Engine } from "../engine/index.ts";
import { sweepDims } from "../neco/dsweep.ts";
import type { Evaluation } from "../neco/evaluate.ts";
import type { SweepJson } from "../report/index.ts";
import type { FeatureSets } from "./feature-sets.ts";

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
