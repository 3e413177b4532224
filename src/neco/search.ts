/** Chooses parameters of scores on validation sets, as OpenOOD's hyper-parameter search does. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { at } from "../util/shape.ts";
import { fitScores } from "./fit.ts";
import type { ImageModel } from "./imageModel.ts";
import { auroc, rank } from "./metrics/index.ts";
import type { TrainStatistics } from "./moments.ts";
import { assertParameters, gridOf } from "./parameters.ts";
import { scoreOptions } from "./options.ts";
import type { MethodParams, ParamValue, ScoreOptions } from "./options.ts";
import { needsImages } from "./score.ts";
import type { Score } from "./score.ts";
import { scoreSource } from "./scoreSource.ts";
import type { Progress } from "./scoreSource.ts";

/** What {@link searchParameters} takes. */
export interface SearchInput {
  readonly engine: Engine;
  readonly train: FeatureSource;
  readonly head: Head | null;
  /** ID validation features; never the test features. */
  readonly id: FeatureSource;
  /** OOD validation sets. */
  readonly ood: readonly FeatureSource[];
  readonly scores: readonly Score[];
  readonly options?: Partial<ScoreOptions>;
  /** The network; scores that need images are searched where every validation set has them. */
  readonly model?: ImageModel | null | undefined;
  /** Called with the rounds done; a round tries one combination of every method at once. */
  readonly onProgress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The best combination of a method so far. */
interface Best {
  readonly auroc: number;
  readonly params: Readonly<Record<string, ParamValue>>;
}

/**
 * For every score with parameters to search the combination with the highest mean AUROC of the ID
 * validation features against the OOD validation sets; the first of equals. Parameters given by hand
 * are not searched.
 * @throws DataError as fitting and scoring do.
 * @throws UsageError if a parameter given by hand does not exist or will not do.
 */
export async function searchParameters(input: SearchInput): Promise<MethodParams> {
  const options = scoreOptions(input.options);
  const given = options.methodParams;
  assertParameters(input.scores, given);
  const isSeen = [input.id, ...input.ood].every(({ images }) => images);
  const searched = input.scores.filter((score) => isSeen || !needsImages(score));
  const grids = searched.flatMap((score) => {
    const own = Object.entries(score.parameters ?? {}).filter(
      ([name]) => given[score.name]?.[name] === undefined,
    );
    const grid = gridOf(Object.fromEntries(own), { dim: input.train.dim, options });
    return grid.length > 1 ? [{ score, grid }] : [];
  });
  const rounds = Math.max(0, ...grids.map(({ grid }) => grid.length));
  const best = new Map<string, Best>();
  let statistics: TrainStatistics | undefined;
  for (let round = 0; round < rounds; round++) {
    const tried: Record<string, Best["params"]> = { ...given };
    const left = grids.filter(({ grid }) => round < grid.length);
    for (const { score, grid } of left)
      tried[score.name] = { ...given[score.name], ...at(grid, round) };
    const results = await tryParameters(
      input,
      left.map(({ score }) => score),
      tried,
      statistics,
    );
    statistics = results.train;
    for (const [name, mean] of results.means)
      if (mean > (best.get(name)?.auroc ?? -1))
        best.set(name, { auroc: mean, params: tried[name] ?? {} });
    input.onProgress?.("search", round + 1, rounds);
  }
  return { ...given, ...Object.fromEntries([...best].map(([name, { params }]) => [name, params])) };
}

/** Mean AUROC over the OOD validation sets by method. */
async function tryParameters(
  { engine, train, head, id, ood, model, options, signal }: SearchInput,
  scores: readonly Score[],
  methodParams: MethodParams,
  statistics: TrainStatistics | undefined,
): Promise<{ readonly means: ReadonlyMap<string, number>; readonly train: TrainStatistics }> {
  const fit = await fitScores({
    engine,
    train,
    head,
    scores,
    model,
    validation: id,
    options: { ...options, methodParams },
    statistics,
    skipUnfit: true, // the evaluation decides whether that is an error
    signal,
  });
  const pass = { engine, head, model, fitted: fit.fitted, signal };
  const known = await scoreSource({ ...pass, source: id });
  const sums = new Map<string, number>();
  for (const source of ood) {
    const unknown = await scoreSource({ ...pass, source });
    for (const [name, values] of known.scores) {
      const others = unknown.scores.get(name);
      if (!others || ![values, others].every((list) => list.every(Number.isFinite))) continue;
      sums.set(name, (sums.get(name) ?? 0) + auroc(rank(values, others)) / ood.length);
    }
  }
  return { means: sums, train: fit.train };
}
