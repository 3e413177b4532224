/** Times the variants of a row in turns, so that what slows the machine down slows all of them. */
import { createEngine } from "../src/engine/index.ts";
import type { Engine } from "../src/engine/index.ts";
import { QueueTimer } from "../src/engine/profile.ts";
import { clockFor, repeatsFor, sample } from "./measure.ts";
import type { Budget, Clock, Timed } from "./measure.ts";
import { another, turns } from "./ratios.ts";
import type { Row } from "./rows/row.ts";

/** Times of the variants of one row, round by round. */
export interface Turns {
  readonly name: string;
  readonly shape: string;
  readonly timer: Clock;
  /** By variant: ms of a call in each round. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
}

/** How long to take turns, on which adapter, by which clock. */
export interface TurnOptions extends Budget {
  readonly adapter?: string;
  readonly timer: Clock | "auto";
}

/** Fewest rounds, even beyond the time budget. */
export const LEAST_ROUNDS = 3;

/** A variant that is compiled and warm. */
interface Runner {
  readonly variant: string;
  readonly run: Timed["run"];
  readonly repeats: number;
  readonly times: number[];
}

async function warm(engine: Engine, row: Row): Promise<Runner> {
  const { run, afterFirst } = await row.prepare(engine);
  await run();
  await afterFirst?.();
  const { wall } = await sample(engine, run, { repeats: 1, timer: null });
  return { variant: row.variant, run, repeats: repeatsFor(wall), times: [] };
}

/** Takes turns among rows of one work, in one engine. */
export async function takeTurns(
  rows: readonly [Row, ...Row[]],
  { adapter, samples: most, budgetMs, timer: wanted }: TurnOptions,
): Promise<Turns> {
  const engine = await createEngine(adapter ? { adapter } : {});
  try {
    return await engine.scope(async () => {
      const clock = clockFor(engine, wanted);
      const timer = clock === "gpu" ? new QueueTimer(engine) : null;
      const runners: Runner[] = [];
      for (const row of rows) runners.push(await warm(engine, row));
      const start = performance.now();
      const effort = { least: LEAST_ROUNDS, most, budgetMs: budgetMs * rows.length };
      for (let round = 0; another(round, performance.now() - start, effort); round++)
        for (const { run, repeats, times } of turns(runners, round)) {
          const { wall, gpu } = await sample(engine, run, { repeats, timer });
          times.push(timer ? gpu : wall);
        }
      timer?.destroy();
      const [{ name, shape }] = rows;
      const rounds = Object.fromEntries(runners.map(({ variant, times }) => [variant, times]));
      return { name, shape, timer: clock, rounds };
    });
  } finally {
    engine.destroy();
  }
}
