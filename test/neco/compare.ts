/** How scores, metrics and neural collapse are held against float64: the tolerances and their reasons. */
import { expect } from "vitest";
import type { OodMetrics } from "../../src/neco/index.ts";

const SCORE = 1e-4; // of the largest score
const PER_REACH = 50 * 2 ** -24;
const MOST = 1e-3; // second looks at small eigenvalues do better than the rule asks
const AUROC = 0.05 / 100;
const TIE = 1e-6; // of the largest score
const NC = 1e-4; // of the figure
/** Cosines and ratios of lengths come from f32 numbers near 1: their rounding is no smaller than this. */
const NC_ROUNDING = 1e-6;

/**
 * What a score may err by, as a share of the largest: f32 knows eigenvalues and directions to a few
 * 2⁻²⁴ of λmax, so what hangs on an eigenvalue λcut is known to that times λmax/λcut.
 */
export const scoreTolerance = (reach = 1): number =>
  Math.min(MOST, Math.max(SCORE, PER_REACH * reach));

/** The largest |value|. */
export const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

/** The largest |got − want|. */
export const scoreError = (got: ArrayLike<number>, want: ArrayLike<number>): number =>
  largestOf(Array.from(want, (value, row) => value - got[row]!));

/** How often rows share a score though float64 has them further apart than 1e-6 of the largest. */
export function falseTies(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  largest: number,
): number {
  const limit = TIE * largest;
  const groups = new Map<number, number>(); // score → float64's least
  const most = new Map<number, number>();
  for (let row = 0; row < got.length; row++) {
    groups.set(got[row]!, Math.min(groups.get(got[row]!) ?? Infinity, want[row]!));
    most.set(got[row]!, Math.max(most.get(got[row]!) ?? -Infinity, want[row]!));
  }
  return [...groups].filter(([score, least]) => most.get(score)! - least > limit).length;
}

/** Metrics of one OOD set: AUROC within 0.05 point, rates within one sample. */
export function compareMetrics(
  name: string,
  got: OodMetrics,
  want: OodMetrics,
  counts: { readonly id: number; readonly ood: number },
): void {
  const within = (key: keyof OodMetrics, tolerance: number): void => {
    expect(Math.abs(got[key] - want[key]), `${name} ${key}`).toBeLessThanOrEqual(tolerance + 1e-12);
  };
  within("auroc", AUROC);
  within("fpr_at_95_id_tpr", 1 / counts.ood);
  within("fpr_at_95_ood_tpr", 1 / counts.id);
  within("aupr_in", 1e-3);
  within("aupr_out", 1e-3);
}

/** Figures of neural collapse, nested as they come. */
export type Tree = number | { readonly [name: string]: Tree };

/** Every figure to 1e-4 of itself; those made of cosines and lengths at least to their rounding. */
export function compareCollapse(path: string, got: unknown, want: Tree): void {
  if (typeof want === "number") {
    const rounding = path.includes("nc1") ? 0 : NC_ROUNDING;
    expect(
      Math.abs(Number(got) - want),
      `${path}: got ${String(got)}, want ${want}`,
    ).toBeLessThanOrEqual(Math.max(NC * Math.abs(want), rounding));
    return;
  }
  for (const [name, value] of Object.entries(want))
    compareCollapse(`${path}.${name}`, (got as Record<string, unknown>)[name], value);
}
