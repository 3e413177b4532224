/** Times work on the engine: its first call, then warm samples until there are enough or time is up. */
import type { Engine } from "../src/engine/index.ts";
import { hasTimestamps, QueueTimer } from "../src/engine/profile.ts";
import { summarise } from "../src/util/timing.ts";
import type { Timing } from "../src/util/timing.ts";

export { summarise };

/** The clock behind a time: GPU timestamps, or the host's from the call until the GPU is done. */
export type Clock = "gpu" | "wall";

/** When to stop sampling. */
export interface Budget {
  readonly samples: number;
  /** Milliseconds after which no further sample starts. */
  readonly budgetMs: number;
}

/** What {@link time} finds. */
export interface Measurement {
  /** First call, compiling included, until the GPU is done: wall time in ms. */
  readonly coldMs: number;
  readonly timer: Clock;
  /** Warm calls by that clock. */
  readonly timing: Timing;
  /** The same calls by the host's clock. */
  readonly wall: Timing;
  /** Host time of a warm call until its work is submitted, µs. */
  readonly hostMicroseconds: number;
}

/** Work as {@link time} takes it: queued by `run`; `afterFirst` looks at the first result. */
export interface Timed {
  readonly run: () => Promise<unknown> | undefined;
  readonly afterFirst?: () => Promise<unknown>;
}

/** Fewest samples, even beyond the time budget. */
const LEAST_SAMPLES = 3;
/** A sample shorter than this repeats its work, so that a submit's own cost does not show. */
const SHORTEST_SAMPLE_MS = 5;
const MOST_REPEATS = 64;

/** How often a sample repeats work of `warm` ms, so that it lasts long enough to be timed. */
export const repeatsFor = (warm: number): number =>
  Math.min(MOST_REPEATS, Math.max(1, Math.ceil(SHORTEST_SAMPLE_MS / warm)));

/** Times of one sample, per call, in ms. */
export interface Sample {
  readonly wall: number;
  readonly host: number;
  readonly gpu: number;
}

/** Runs work `repeats` times and waits until the GPU is done; without a timer `gpu` is NaN. */
export async function sample(
  engine: Engine,
  run: Timed["run"],
  { repeats, timer }: { repeats: number; timer: QueueTimer | null },
): Promise<Sample> {
  const start = performance.now();
  timer?.start();
  for (let k = 0; k < repeats; k++) await run();
  timer?.stop();
  engine.eager.flush();
  const queued = performance.now();
  await engine.finish();
  const end = performance.now();
  const gpu = timer ? await timer.milliseconds() : NaN;
  return {
    wall: (end - start) / repeats,
    host: (queued - start) / repeats,
    gpu: gpu / repeats,
  };
}

/** An idle GPU's clock is a fifth of a busy one's and takes that long to rise. */
export const GPU_WARM_MS = 150;

/** A warm sample of one call; on GPUs the last of as many as bring the clock up. */
async function warmUp(
  engine: Engine,
  run: Timed["run"],
  timer: QueueTimer | null,
): Promise<Sample> {
  const end = performance.now() + (engine.caps.adapterClass === "gpu" ? GPU_WARM_MS : 0);
  let last = await sample(engine, run, { repeats: 1, timer });
  while (performance.now() < end)
    last = await sample(engine, run, { repeats: repeatsFor(last.wall), timer });
  return last;
}

/** The clock that is asked for; `auto`: timestamps where the adapter has them. */
export const clockFor = (engine: Engine, timer: Clock | "auto"): Clock =>
  timer === "auto" ? (hasTimestamps(engine) ? "gpu" : "wall") : timer;

/**
 * Times work; each sample ends when the GPU is done.
 * @throws CaptureError if GPU timestamps are asked for and the adapter has none.
 */
export async function time(
  engine: Engine,
  { run, afterFirst }: Timed,
  { samples, budgetMs, clock }: Budget & { clock: Clock },
): Promise<Measurement> {
  const timer = clock === "gpu" ? new QueueTimer(engine) : null;
  const start = performance.now();
  await run();
  await engine.finish();
  const coldMs = performance.now() - start;
  await afterFirst?.();
  const warm = await warmUp(engine, run, timer);
  const repeats = repeatsFor(warm.wall);
  const taken: Sample[] = [];
  const end = performance.now() + budgetMs;
  while (taken.length < samples && (taken.length < LEAST_SAMPLES || performance.now() < end))
    taken.push(await sample(engine, run, { repeats, timer }));
  timer?.destroy();
  const wall = summarise(taken.map((one) => one.wall));
  const timing = timer ? summarise(taken.map(({ gpu }) => gpu)) : wall;
  const host = summarise(taken.map((one) => one.host)).median;
  return { coldMs, timer: clock, timing, wall, hostMicroseconds: 1000 * host };
}
