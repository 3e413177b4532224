/** Pairs the rows of two checkouts that were measured in turns. Pure. */
import { ratioOf } from "./ratios.ts";
import type { Ratio } from "./ratios.ts";
import { keyOf } from "./rows/row.ts";
import type { BenchReport } from "./report.ts";

/** Runs by checkout, a round each. */
export interface Rounds {
  readonly base: readonly Pick<BenchReport, "rows">[];
  readonly head: readonly Pick<BenchReport, "rows">[];
}

/** A row with base time over head time by rounds: above 1, head is faster; null if one lacks it. */
export interface Paired {
  readonly key: string;
  readonly ratio: Ratio | null;
}

/** Ratios of every row of either checkout, by the clock that the rows name. */
export function pairRows({ base, head }: Rounds): Paired[] {
  const keys = new Set([...head, ...base].flatMap(({ rows }) => rows.map(keyOf)));
  const times = (runs: Rounds["base"], key: string): (number | null)[] =>
    runs.map(({ rows }) => rows.find((row) => keyOf(row) === key)?.median ?? null);
  return [...keys].map((key) => ({ key, ratio: ratioOf(times(base, key), times(head, key)) }));
}
