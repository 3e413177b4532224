/** From scores of all sets to results of all methods. */
import type { FittedScore } from "./fit.ts";
import { methodResult, outcomesOf } from "./methodResult.ts";
import type { MethodResult, OodGroup, ResultInput, Vectors } from "./methodResult.ts";
import { SampleDraws } from "./metrics/index.ts";
import type { BootstrapOptions, RiskCurve } from "./metrics/index.ts";
import type { SourceScores } from "./scoreSource.ts";

/** Key of the ID scores among a method's vectors. */
export const ID = "id";

/** The scores of all sets. */
export interface Scored {
  readonly id: SourceScores;
  readonly ood: Map<string, SourceScores>;
}

/** What all methods achieve, by name. */
export interface Measured {
  readonly results: Readonly<Record<string, MethodResult>>;
  readonly vectors: ReadonlyMap<string, Vectors>;
  readonly curves: Readonly<Record<string, RiskCurve>>;
  readonly skipped: Readonly<Record<string, string>>;
}

/** How scores become results. */
export interface MeasureOptions {
  readonly groups: Readonly<Record<string, OodGroup>>;
  /** Of the ID test set. */
  readonly labels: Int32Array | null;
  readonly bootstrap: BootstrapOptions | null;
  /** Called as methods are done: thousands of resamples take seconds each. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The results of every method whose scores are all finite; the others are skipped by name. */
export function measure(
  scored: Scored,
  fitted: readonly FittedScore[],
  { groups, labels, bootstrap, onProgress }: MeasureOptions,
): Measured {
  const { predicted } = scored.id;
  const isRight = labels && predicted ? outcomesOf(predicted, labels) : null;
  const drawing = bootstrap && { draws: new SampleDraws(), ...bootstrap };
  const shared: Omit<ResultInput, "params"> = { groups, isRight, bootstrap: drawing };
  const results: Record<string, MethodResult> = {};
  const vectors = new Map<string, Vectors>();
  const curves: Record<string, RiskCurve> = {};
  const skipped: Record<string, string> = {};
  for (const [done, { score, state }] of fitted.entries()) {
    if (done > 0) onProgress?.(done, fitted.length);
    const own = vectorsOf(score.name, scored);
    const bad = firstBad(own);
    if (bad !== null) skipped[score.name] = bad;
    else {
      const { result, curve } = methodResult(own, { ...shared, params: state.params });
      vectors.set(score.name, own);
      results[score.name] = result;
      if (curve) curves[score.name] = curve;
    }
  }
  return { results, vectors, curves, skipped };
}

function vectorsOf(method: string, { id, ood }: Scored): Vectors {
  const of = ({ scores }: SourceScores): Float64Array => scores.get(method) ?? new Float64Array();
  return { id: of(id), ood: Object.fromEntries([...ood].map(([name, set]) => [name, of(set)])) };
}

/** `METHOD/id` first, then `METHOD/OODNAME`. */
export const columnsOf = (vectors: ReadonlyMap<string, Vectors>): Record<string, Float64Array> =>
  Object.fromEntries(
    [...vectors].flatMap(([method, { id, ood }]) =>
      Object.entries({ [ID]: id, ...ood }).map(([set, values]) => [`${method}/${set}`, values]),
    ),
  );

/** Why a method's scores cannot be ranked, if so. */
function firstBad({ id, ood }: Vectors): string | null {
  for (const [set, values] of Object.entries({ [ID]: id, ...ood })) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) return `its score of row ${bad} of ${set} is not finite`;
  }
  return null;
}
