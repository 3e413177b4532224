/** What figures of an evaluation need: NECO against d, score histograms, features in the plane. */
import type { Engine } from "../engine/index.ts";
import { sweepDims } from "../neco/dsweep.ts";
import type { Evaluation } from "../neco/evaluate.ts";
import type { FittedScore } from "../neco/fit.ts";
import { distributionsOf, type PcaJson, type SweepJson } from "../report/index.ts";
import type { FeatureSets } from "./feature-sets.ts";
import type { OodFigures, OodOutputs } from "./ood-outputs.ts";
import { pcaOf } from "./plane.ts";

/** The curves of the fitted NECO on the test sets, shown and never used for choosing; null if NECO was not among the methods. */
export async function sweepOf(
  engine: Engine,
  { test, ood, head }: FeatureSets,
  { fitted }: Evaluation,
): Promise<SweepJson | null> {
  const byName = (name: string): FittedScore | undefined =>
    fitted.find(({ score }) => score.name === name);
  const neco = byName("neco") ?? byName("neco-nologit"); // without logits only the latter is there
  if (neco === undefined) return null;
  const sources = ood.map(({ source }) => source);
  const asked = { state: neco.state, id: test, ood: sources, weights: head };
  const sweep = await sweepDims(engine, asked);
  return neco.score.name === "neco" ? sweep : { ...sweep, method: "neco-nologit" };
}

/** The plane of feature files, whose classes have numbers for names; null for features of one column. */
async function planeOf(
  engine: Engine,
  { train, test, ood, head }: FeatureSets,
  { train: statistics }: Evaluation,
): Promise<PcaJson | null> {
  if (train.dim < 2) return null;
  const largest = test.labels?.reduce((top, label) => Math.max(top, label), 0) ?? null;
  const classes = largest === null ? 0 : Math.max(largest + 1, head?.classes ?? 0);
  return pcaOf(engine, {
    statistics,
    test,
    ood: ood.map(({ source }) => source),
    classes:
      classes === 0 ? ["ID test"] : Array.from({ length: classes }, (_, label) => `${label}`),
  });
}

/** What the outputs show: histograms in JSON and on a page, the rest on a page or where asked for. */
export async function figuresOf(
  engine: Engine,
  sets: FeatureSets,
  evaluation: Evaluation,
  { html, json, hasSweep }: Pick<OodOutputs, "html" | "json"> & { readonly hasSweep: boolean },
): Promise<OodFigures> {
  const isPage = html !== undefined;
  const sweep = isPage || hasSweep ? await sweepOf(engine, sets, evaluation) : null;
  const pca = isPage ? await planeOf(engine, sets, evaluation) : null;
  return {
    ...(isPage || json !== undefined ? { distributions: distributionsOf(evaluation.scores) } : {}),
    ...(sweep === null ? {} : { sweep }),
    ...(pca === null ? {} : { pca }),
  };
}
