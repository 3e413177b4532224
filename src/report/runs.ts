/** Results of several runs, such as one recipe under several seeds, as mean and standard deviation. */
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { MeasuredMetrics, MethodResult, OodJson, OodMetrics, SetResult } from "./input.ts";

/** The results of one run. */
export interface NamedResults {
  readonly name: string;
  readonly ood: OodJson;
}

/** Results whose figures are means, with `std` beside them, and what the reader must be told. */
export interface OverRuns {
  readonly ood: OodJson;
  readonly warnings: string[];
}

/**
 * Mean and sample standard deviation (divisor n − 1) of every figure over runs. Only methods and sets
 * that all runs hold are kept; the others are named.
 * @throws DataError with fewer than two runs, or with no method that all hold.
 */
export function overRuns(runs: readonly NamedResults[]): OverRuns {
  if (runs.length < 2)
    throw new DataError("a standard deviation needs at least two runs: give --runs A B …");
  const first = at(runs, 0);
  const results: Record<string, MethodResult> = {};
  const skipped: Record<string, string> = {};
  for (const method of namesIn(runs, ({ results }) => results)) {
    const own = runs.flatMap(({ ood }) => ood.results[method] ?? []);
    if (own.length < runs.length)
      skipped[method] = `only ${own.length} of ${runs.length} runs hold it`;
    else results[method] = meanResult(own);
  }
  if (Object.keys(results).length === 0)
    throw new DataError("the runs have no method in common: evaluate them with the same --methods");
  const accuracies = runs.flatMap(({ ood }) => ood.id.accuracy ?? []);
  const hasAll = accuracies.length === runs.length;
  const ood: OodJson = {
    schema: "neco-webgpu/ood@1",
    adapter: [...new Set(runs.map(({ ood }) => ood.adapter))].join("; "),
    config: { ...first.ood.config, runs: runs.map(({ name }) => name) },
    id: {
      n: first.ood.id.n,
      accuracy: hasAll ? mean(accuracies) : null,
      ...(hasAll ? { accuracy_std: deviation(accuracies) } : {}),
    },
    results,
    skipped,
    runs: runs.length,
  };
  return { ood, warnings: differences(runs) };
}

const namesIn = (
  runs: readonly NamedResults[],
  of: (ood: OodJson) => Readonly<Record<string, unknown>>,
): Set<string> => new Set(runs.flatMap(({ ood }) => Object.keys(of(ood))));

function meanResult(results: readonly MethodResult[]): MethodResult {
  const sets: Record<string, SetResult> = {};
  for (const [name, { n }] of Object.entries(at(results, 0).sets)) {
    const own = meanMetrics(results.map((result) => result.sets[name]));
    if (own !== null) sets[name] = { ...own, n };
  }
  return {
    params: {},
    sets,
    near: meanMetrics(results.map(({ near }) => near)),
    far: meanMetrics(results.map(({ far }) => far)),
    average: meanMetrics(results.map(({ average }) => average)),
  };
}

/** Null unless all runs hold the metrics. */
function meanMetrics(runs: readonly (OodMetrics | null | undefined)[]): MeasuredMetrics | null {
  const own = runs.filter((metrics) => metrics !== null && metrics !== undefined);
  if (own.length < runs.length) return null;
  return { ...everywhere(own, mean), std: everywhere(own, deviation) };
}

/** A statistic of every figure over the runs. */
function everywhere(
  runs: readonly OodMetrics[],
  of: (values: readonly number[]) => number,
): OodMetrics {
  const over = (key: keyof OodMetrics): number =>
    of(runs.map((metrics) => metrics[key] ?? Number.NaN));
  const hasAverage = runs.every(({ ap_in, ap_out }) => ap_in !== undefined && ap_out !== undefined);
  return {
    auroc: over("auroc"),
    fpr_at_95_id_tpr: over("fpr_at_95_id_tpr"),
    fpr_at_95_ood_tpr: over("fpr_at_95_ood_tpr"),
    aupr_in: over("aupr_in"),
    aupr_out: over("aupr_out"),
    ...(hasAverage ? { ap_in: over("ap_in"), ap_out: over("ap_out") } : {}),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** What makes runs hard to compare: other sets, or sets of other sizes. */
function differences(runs: readonly NamedResults[]): string[] {
  const sizesOf = ({ id, results }: OodJson): string =>
    [
      `ID test n = ${id.n}`,
      ...[
        ...new Set(
          Object.values(results).flatMap(({ sets }) =>
            Object.entries(sets).map(([name, { n }]) => `${name} n = ${n}`),
          ),
        ),
      ].sort(),
    ].join(", ");
  const first = at(runs, 0);
  return runs
    .filter(({ ood }) => sizesOf(ood) !== sizesOf(first.ood))
    .map(
      ({ name, ood }) =>
        `${name} was evaluated on other sets than ${first.name}: ${sizesOf(ood)}; ${first.name} on ${sizesOf(first.ood)}`,
    );
}
