/** Statistics of an interleaved run: per-round ratios and the order in which engines take turns. */
import { at } from "../src/util/shape.ts";
import { summarise } from "./measure.ts";

/** How many times as long as ours an engine took. */
export interface Ratio {
  readonly median: number;
  /** Median absolute deviation over the rounds. */
  readonly mad: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
}

/**
 * Ratios theirs / ours of rounds in which both were timed, so that what slowed a round down slows
 * both; null without a common round.
 */
export function ratioOf(
  theirs: readonly (number | null)[],
  ours: readonly (number | null)[],
): Ratio | null {
  const ratios = theirs.flatMap((time, round) => {
    const own = ours[round];
    return time === null || own === null || own === undefined ? [] : [time / own];
  });
  if (ratios.length === 0) return null;
  const { median, mad, best, samples } = summarise(ratios);
  return { median, mad, least: best, most: Math.max(...ratios), rounds: samples };
}

/** "1.02 ± 0.05". */
export const ratioText = (ratio: Pick<Ratio, "median" | "mad"> | null): string =>
  ratio ? `${ratio.median.toFixed(2)} ± ${ratio.mad.toFixed(2)}` : "–";

/** The engines of a round, each time starting with the next: nobody always runs after the same. */
export const turns = <T>(engines: readonly T[], round: number): T[] =>
  engines.map((_, index) => at(engines, (index + round) % engines.length));

/** Whether to start another round: at least `least`, then until the count or the time is used up. */
export const another = (
  round: number,
  elapsedMs: number,
  { least, most, budgetMs }: { least: number; most: number; budgetMs: number },
): boolean => round < Math.min(least, most) || (round < most && elapsedMs < budgetMs);
