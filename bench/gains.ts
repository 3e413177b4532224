/** What fusion, the memory plan and replay each bring: the modes of a workload side by side. Pure. */
import type { ProgramStats } from "../src/engine/index.ts";
import { ratioOf } from "./ratios.ts";
import type { Ratio } from "./ratios.ts";
import { groupsOf } from "./rows/row.ts";
import type { Measured } from "./run.ts";
import type { Turns } from "./turns.ts";

/** One of the things that a program does, by the modes with and without it. */
export interface Gain {
  readonly what: string;
  readonly without: Measured;
  readonly having: Measured;
  /** Time without it over time with it, in turns; null where no turns were taken. */
  readonly ratio: Ratio | null;
}

/** All gains of a workload. */
export interface Gains {
  readonly name: string;
  readonly shape: string;
  readonly gains: readonly Gain[];
}

const PAIRS = [
  { what: "fusion", without: "unfused", having: "program" },
  { what: "memory plan", without: "unplanned", having: "program" },
  { what: "recomputing", without: "program", having: "recompute" },
  { what: "replay", without: "eager", having: "unfused" }, // both run the ops' own passes
  { what: "all of a program", without: "eager", having: "program" },
] as const;

/** The gains of every workload that was measured in modes. */
export function gainsOf(rows: readonly Measured[], turns: readonly Turns[]): Gains[] {
  const workloads = rows.filter(({ kind }) => kind === "workload");
  return [...groupsOf(workloads).values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { name, shape } = first;
    const taken = turns.find((one) => one.name === name && one.shape === shape);
    const gains = PAIRS.flatMap(({ what, ...modes }) => {
      const without = group.find(({ variant }) => variant === modes.without);
      const having = group.find(({ variant }) => variant === modes.having);
      if (!without || !having) return [];
      const ratio = taken ? turnRatio(taken, modes.without, modes.having) : null;
      return [{ what, without, having, ratio }];
    });
    return gains.length > 0 ? [{ name, shape, gains }] : [];
  });
}

const isStats = (value: unknown): value is ProgramStats =>
  typeof value === "object" && value !== null && "slotBytes" in value;

/** Bytes of the values between a program's inputs and outputs; null in eager mode. */
export const valueBytes = ({ facts }: Measured): number | null =>
  isStats(facts["program"]) ? facts["program"].slotBytes : null;

/** How many times as long `slow` takes as `fast`, by rounds; null if one of them took no turn. */
export const turnRatio = ({ rounds }: Turns, slow: string, fast: string): Ratio | null =>
  ratioOf(rounds[slow] ?? [], rounds[fast] ?? []);
