/** CFOOD, ensembles and AUROC in float64 and by the formulas: no sieves, no shortcuts. */
import { expect } from "vitest";
import type { Engine } from "../../src/engine/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";
import { evaluateOod } from "../../src/neco/index.ts";
import type { Evaluation, MethodParams } from "../../src/neco/index.ts";
import { at } from "../../src/util/shape.ts";
import type { RegimeData } from "./regimes.ts";

type Rows = readonly (readonly number[])[];

/** Rows of a matrix [N · D]. */
export const rowsOf = (values: Float32Array, dim: number): number[][] =>
  Array.from({ length: values.length / dim }, (_, row) =>
    Array.from(values.subarray(row * dim, (row + 1) * dim)),
  );

const unit = (row: readonly number[]): number[] => {
  const length = Math.hypot(...row);
  return row.map((value) => (length > 0 ? value / length : 0));
};

const isZero = (row: readonly number[]): boolean => row.every((value) => value === 0);

/** Of unit rows; a row of zeros is at 1 from all others, which rounding would blur. */
const squaredGap = (a: readonly number[], b: readonly number[]): number =>
  isZero(a) || isZero(b)
    ? Number(isZero(a) !== isZero(b))
    : a.reduce((sum, value, j) => sum + (value - at(b, j)) ** 2, 0);

/** The grid of shares and ranks of neighbours that cfood64 looks at. */
export interface Grid {
  readonly shares: readonly number[];
  readonly ranks: readonly number[];
}

/** −κ of every row of x, by the published definition. */
export function cfood64(x: Rows, reference: Rows, { shares, ranks }: Grid, k: number): number[] {
  const bank = reference.map(unit);
  const radii = bank.map((row) => {
    const sorted = bank.map((other) => squaredGap(row, other)).sort((a, b) => a - b);
    return ranks.map((rank) => at(sorted, rank));
  });
  return x.map(unit).map((row) => {
    const distances = bank.map((other) => squaredGap(row, other));
    const found = shares.findIndex((_, step) => {
      const within = radii.filter((own, i) => at(own, step) >= at(distances, i));
      return within.length / bank.length >= k;
    });
    return -(shares[found] ?? 1);
  });
}

/** log of the share of all classes but `own` in a softmax. */
function logOthers(z: readonly number[], own: number): number {
  const others = z.filter((_, c) => c !== own);
  const largest = Math.max(...others);
  const relative = largest + Math.log(others.reduce((sum, v) => sum + Math.exp(v - largest), 0));
  return -Math.log1p(Math.exp(at(z, own) - relative));
}

const argmax = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** log max_c of the softmax of the mean logits, or of the mean softmax, over models × samples × classes. */
export function ensemble64(models: readonly Rows[], mean: "logits" | "probabilities"): number[] {
  return at(models, 0).map((_, row) => {
    const own = models.map((logits) => at(logits, row));
    const classes = at(own, 0).map((__, c) => c);
    const average = classes.map((c) => own.reduce((sum, z) => sum + at(z, c), 0) / own.length);
    if (mean === "logits") {
      const label = argmax(average);
      return Math.log1p(-Math.exp(logOthers(average, label)));
    }
    const totals = classes.map((c) =>
      own.reduce((sum, z) => {
        const largest = Math.max(...z);
        return (
          sum + Math.exp(at(z, c) - largest) / z.reduce((s, v) => s + Math.exp(v - largest), 0)
        );
      }, 0),
    );
    const label = argmax(totals);
    const rest = own.reduce((sum, z) => sum + Math.exp(logOthers(z, label)), 0);
    return Math.log1p(-rest / own.length);
  });
}

/** Share of pairs in which the known sample has the larger score; equals count half. */
export function auroc64(known: readonly number[], unknown: readonly number[]): number {
  let wins = 0;
  for (const a of known) for (const b of unknown) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / known.length / unknown.length;
}

/** One method on a regime, whose sets may be changed before. */
export const evaluateRegime = (
  engine: Engine,
  { train, test: id, near, far, head }: RegimeData,
  method: string,
  params: MethodParams[string],
  change: (source: FeatureSource) => FeatureSource = (source) => source,
): Promise<Evaluation> =>
  evaluateOod({
    engine,
    train,
    id: change(id),
    head,
    ood: [
      { source: change(near), group: "near" },
      { source: change(far), group: "far" },
    ],
    methods: [method],
    options: { methodParams: { [method]: params } },
  });

/** Compares score vectors with those of float64, exactly or to the tolerance. */
export async function expectScores(
  { scores, json }: Evaluation,
  method: string,
  wanted: (set: "test" | "near" | "far") => Promise<readonly number[]>,
  tolerance: number,
): Promise<void> {
  expect(json.skipped).toEqual({});
  for (const [set, file] of [
    ["id", "test"],
    ["near", "near"],
    ["far", "far"],
  ] as const) {
    const want = await wanted(file);
    const got = scores[`${method}/${set}`]!;
    expect(got.length).toBe(want.length);
    const largest = want.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const worst = want.reduce((a, b, row) => Math.max(a, Math.abs(b - at(got, row))), 0);
    expect(worst / largest, `${method} ${set}`).toBeLessThanOrEqual(tolerance);
  }
}
