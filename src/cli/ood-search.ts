/** `--search`: NECO's d and the methods' parameters, chosen on validation sets that are not the test's. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { sweepDims } from "../neco/dsweep.ts";
import { fitScores } from "../neco/fit.ts";
import type { ScoreOptions } from "../neco/options.ts";
import { chooseScores, findScore } from "../neco/registry.ts";
import { needsImages } from "../neco/score.ts";
import { sameRows } from "../neco/sameRows.ts";
import { searchParameters } from "../neco/search.ts";
import type { Progress } from "../neco/scoreSource.ts";
import { UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { note, startProgress } from "./console.ts";
import { assertSearchSets, fileOfSet, OpenFiles, type FeatureSets } from "./feature-sets.ts";
import { isDataset, type NamedFile } from "./options.ts";

/** The first index of the largest value. */
const argmax = (values: readonly number[]): number =>
  values.reduce((best, value, index) => (value > at(values, best) ? index : best), 0);

/** What a search takes beside the sets. */
export interface SearchChoice {
  readonly methods: "all" | readonly string[];
  readonly oodVal: readonly NamedFile[];
  readonly wanted: Partial<ScoreOptions>;
}

/**
 * The options wanted, with what the search chose: the d of NECO where it is `auto`, and every
 * searched parameter that was not given.
 * @throws UsageError without ID validation features.
 */
export async function searchOptions(
  engine: Engine,
  sets: FeatureSets,
  { methods, oodVal, wanted }: SearchChoice,
): Promise<Partial<ScoreOptions>> {
  const { train, val: id, head } = sets;
  if (id === null) throw new UsageError("--search needs --id-val F");
  const files = new OpenFiles();
  try {
    const ood: FeatureSource[] = [];
    for (const set of oodVal)
      ood.push(
        sets.openDataset && isDataset(set)
          ? await sets.openDataset(set)
          : await files.open(fileOfSet(set, "--ood-val"), set.name),
      );
    assertSearchSets(sets, id, ood);
    await assertUnseen({ id, ood }, sets);
    const scores = chooseScores(methods);
    const model = scores.some(needsImages) ? sets.network?.() : null;
    const isOfNeco = scores.includes(findScore("neco")) && (wanted.necoDim ?? "auto") === "auto";
    const necoDim = isOfNeco ? await chooseDim(engine, sets, { id, ood, wanted }) : null;
    const methodParams = await withBar((onProgress) =>
      searchParameters({
        engine,
        train,
        head,
        id,
        ood,
        scores,
        model,
        options: wanted,
        onProgress,
      }),
    );
    for (const [method, params] of Object.entries(methodParams))
      for (const [name, value] of Object.entries(params))
        note(`--search chose ${method}.${name} = ${value} on the validation sets`);
    return { ...wanted, methodParams, ...(necoDim === null ? {} : { necoDim }) };
  } finally {
    await files.close();
  }
}

/** The validation sets of a search. */
interface ValidationSets {
  readonly id: FeatureSource;
  readonly ood: readonly FeatureSource[];
}

/** Whether two sets are of the same images or hold the same features. */
const isSame = async (a: FeatureSource, b: FeatureSource): Promise<boolean> =>
  (a.key !== undefined && a.key === b.key) || sameRows(a, b);

/**
 * Passes if no validation set is one of the test sets.
 * @throws UsageError naming the one that is.
 */
export async function assertUnseen(
  validation: ValidationSets,
  sets: Pick<FeatureSets, "test" | "ood">,
): Promise<void> {
  const tests = [
    { title: "the ID test set", source: sets.test },
    ...sets.ood.map(({ source }) => ({ title: `--ood ${source.name}`, source })),
  ];
  const unseen = [
    { title: "the ID validation set", source: validation.id },
    ...validation.ood.map((source) => ({ title: `--ood-val ${source.name}`, source })),
  ];
  for (const own of unseen)
    for (const test of tests)
      if (await isSame(own.source, test.source))
        throw new UsageError(
          `${own.title} holds the samples of ${test.title}: a search must not see the test sets, so choose other data`,
        );
}

/** Runs a search under a progress bar of its rounds. */
async function withBar<T>(run: (onProgress: Progress) => Promise<T>): Promise<T> {
  const bars: ReturnType<typeof startProgress>[] = [];
  try {
    return await run((stage, done, total) => {
      if (bars.length === 0) bars.push(startProgress(stage.padEnd(14), total));
      bars[0]?.update(done);
    });
  } finally {
    bars[0]?.stop();
  }
}

/** The d with the highest mean AUROC, or null where NECO cannot be fitted. */
async function chooseDim(
  engine: Engine,
  { train, head }: FeatureSets,
  { id, ood, wanted }: { id: FeatureSource; ood: FeatureSource[]; wanted: Partial<ScoreOptions> },
): Promise<number | null> {
  const scores = [findScore("neco")];
  const asked = { engine, train, head, scores, options: wanted, skipUnfit: true };
  const { fitted } = await fitScores(asked);
  const neco = fitted[0];
  if (neco === undefined) return null;
  const { d, sets } = await sweepDims(engine, { state: neco.state, id, ood, weights: head });
  const means = d.map((_, index) =>
    Object.values(sets).reduce((sum, { auroc }) => sum + at(auroc, index), 0),
  );
  const chosen = at(d, argmax(means));
  note(`--search chose d = ${chosen} on the validation sets`);
  return chosen;
}
