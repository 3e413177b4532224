/** Times work on the engine: warm-up, then samples until there are enough or time is up. */
import type { Engine } from "../src/engine/index.ts";
import { at } from "../src/util/shape.ts";

/** Milliseconds of one call: median and median absolute deviation over the samples. */
export interface Timing {
  readonly median: number;
  readonly mad: number;
  readonly best: number;
  readonly samples: number;
}

/** When to stop sampling. */
export interface Budget {
  readonly samples: number;
  /** Milliseconds after which no further sample starts. */
  readonly budgetMs: number;
}

/** A sample shorter than this repeats its work, so that a submit's own cost does not show. */
const SHORTEST_SAMPLE_MS = 5;
const MOST_REPEATS = 64;

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (at(sorted, Math.floor(middle)) + at(sorted, Math.ceil(middle))) / 2;
};

/** How often a sample repeats work of `warm` ms, so that it lasts long enough to be timed. */
export const repeatsFor = (warm: number): number =>
  Math.min(MOST_REPEATS, Math.max(1, Math.ceil(SHORTEST_SAMPLE_MS / warm)));

/** Median, spread and best of the samples' times in ms. */
export function summarise(times: readonly number[]): Timing {
  const middle = median(times);
  const mad = median(times.map((value) => Math.abs(value - middle)));
  return { median: middle, mad, best: Math.min(...times), samples: times.length };
}

/** Times `run`, which queues work; each sample ends when the GPU is done. */
export async function time(
  engine: Engine,
  run: () => Promise<unknown> | undefined,
  { samples, budgetMs }: Budget,
): Promise<Timing> {
  const sample = async (repeats: number): Promise<number> => {
    const start = performance.now();
    for (let k = 0; k < repeats; k++) await run();
    await engine.finish();
    return (performance.now() - start) / repeats;
  };
  await sample(1); // compiles
  const warm = await sample(1);
  const repeats = repeatsFor(warm);
  const times: number[] = [];
  const end = performance.now() + budgetMs;
  while (times.length < samples && (times.length < 3 || performance.now() < end))
    times.push(await sample(repeats));
  return summarise(times);
}
