/** Where an evaluation's time goes, by phase and method. */

/** Times a piece of work under a phase, such as `score`, and a name, such as `knn`. */
export type Stopwatch = <T>(phase: string, name: string, work: () => Promise<T>) => Promise<T>;

/** Seconds by phase and name. */
export type Timings = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Measures nothing. */
export const noStopwatch: Stopwatch = (_phase, _name, work) => work();

/**
 * Adds up what pieces of work take on the wall. What several methods share counts for the first
 * that asks for it, and queued GPU work for whoever reads a result next.
 * @param now - milliseconds of a clock
 */
export function stopwatch(now: () => number): {
  readonly time: Stopwatch;
  readonly timings: Timings;
} {
  const timings: Record<string, Record<string, number>> = {};
  return {
    timings,
    async time(phase, name, work) {
      const start = now();
      try {
        return await work();
      } finally {
        const own = (timings[phase] ??= {});
        own[name] = (own[name] ?? 0) + (now() - start) / 1000;
      }
    },
  };
}
