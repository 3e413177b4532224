/** Measures a work: every engine in its own process, taking turns round by round. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repeatsFor } from "../measure.ts";
import { judgeOf } from "./check.ts";
import type { Judge, Outputs } from "./check.ts";
import { EngineProcess } from "./process.ts";
import type { Available, InputFile } from "./protocol.ts";
import { another, turns } from "../ratios.ts";
import type { Outcome, WorkOutcome } from "./report.ts";
import type { Entrant } from "./roster.ts";
import { inputsOf } from "./inputs.ts";
import type { HostInput, Work } from "./works.ts";

/** An engine that this machine has. */
export interface Present {
  readonly entrant: Entrant;
  readonly version: string;
}

/** How long to measure. */
export interface Effort {
  readonly least: number;
  readonly most: number;
  /** Time of a work after which no further round starts. */
  readonly budgetMs: number;
  /** Time of one answer after which an engine is given up. */
  readonly limitMs: number;
  /** Untimed work before each turn: an idle GPU's clock takes that long to rise. */
  readonly warmMs: number;
  /** After each turn: threads of an engine may still spin, OpenMP's for tens of milliseconds. */
  readonly settleMs: number;
}

const message = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** One engine on one work, from its first run to its last. */
class Runner {
  readonly present: Present;
  private readonly rounds: (number | null)[] = [];
  private coldMs: number | null = null;
  private error: number | null = null;
  private failure: string | null = null;
  private repeats = 1;
  private process: EngineProcess | null = null;

  constructor(present: Present) {
    this.present = present;
  }

  get out(): boolean {
    return this.failure !== null;
  }

  get outcome(): Outcome {
    const { entrant, version } = this.present;
    const { coldMs, rounds, error, failure } = this;
    return {
      engine: entrant.name,
      against: entrant.against,
      version,
      coldMs,
      rounds,
      error,
      failure,
    };
  }

  /** Opens the engine; then the first run, a warm one and the check of the result. */
  async start(work: Work, { env, effort, files, folder, judge }: Stage): Promise<void> {
    const { entrant } = this.present;
    const reason = entrant.cannot(work);
    if (reason !== null) {
      this.failure = reason;
      return;
    }
    await this.orOut(async () => {
      const engine = new EngineProcess(entrant.command(env), effort.limitMs);
      this.process = engine;
      await engine.ask({ do: "available" });
      await engine.ask({ do: "prepare", work, inputs: files });
      this.coldMs = (await engine.ask({ do: "run", repeats: 1 })).ms;
      this.repeats = repeatsFor((await engine.ask({ do: "run", repeats: 1 })).ms);
      const own = join(folder, entrant.name);
      mkdirSync(own);
      const { names } = await engine.ask({ do: "result", folder: own });
      if (!entrant.isYardstick) this.error = judge(outputsIn(own, names));
    });
  }

  /** One timed turn. */
  async turn(round: number, { warmMs, settleMs }: Effort): Promise<void> {
    this.rounds[round] = null;
    await this.orOut(async () => {
      if (!this.process) throw new TypeError("turn before start");
      const run = { do: "run", repeats: this.repeats } as const;
      const end = performance.now() + warmMs;
      while (performance.now() < end) await this.process.ask(run);
      this.rounds[round] = (await this.process.ask(run)).ms;
    });
    await sleep(settleMs);
  }

  end(): void {
    this.process?.end();
  }

  private async orOut(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.failure = message(error);
      this.end();
    }
  }
}

/** What all engines of a work share. */
interface Stage {
  readonly env: NodeJS.ProcessEnv;
  readonly effort: Effort;
  readonly files: Readonly<Record<string, InputFile>>;
  readonly folder: string;
  readonly judge: Judge;
}

function outputsIn(folder: string, names: readonly string[]): Outputs {
  const entries = names.map((name) => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, `${name}.f32`));
    return [name, new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))];
  });
  return Object.fromEntries(entries) as Outputs;
}

function writeInputs(
  inputs: Readonly<Record<string, HostInput>>,
  folder: string,
): Record<string, InputFile> {
  const entries = Object.entries(inputs).map(([name, { values, shape, weight }], index) => {
    const file = join(folder, `input-${index}.raw`);
    writeFileSync(file, values);
    const dtype = values instanceof Float32Array ? "f32" : "i32";
    return [name, { file, shape, dtype, weight } satisfies InputFile];
  });
  return Object.fromEntries(entries) as Record<string, InputFile>;
}

/** Measures a work on all engines. `say` hears what goes on. */
export async function measureWork(
  work: Work,
  engines: readonly Present[],
  { env, effort, say }: { env: NodeJS.ProcessEnv; effort: Effort; say: (line: string) => void },
): Promise<WorkOutcome> {
  const folder = mkdtempSync(join(tmpdir(), "bench-peers-"));
  const runners = engines
    .filter(({ entrant }) => entrant.joins(work))
    .map((engine) => new Runner(engine));
  try {
    const inputs = inputsOf(work);
    const files = writeInputs(inputs, folder);
    const judge = judgeOf(work, inputs);
    for (const runner of runners) {
      say(`${work.title}: first run of ${runner.present.entrant.name}`);
      await runner.start(work, { env, effort, files, folder, judge });
    }
    const start = performance.now();
    for (let round = 0; another(round, performance.now() - start, effort); round++) {
      say(`${work.title}: round ${round + 1}`);
      for (const runner of turns(runners, round)) if (!runner.out) await runner.turn(round, effort);
    }
    return { work, outcomes: runners.map(({ outcome }) => outcome) };
  } finally {
    for (const runner of runners) runner.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Asks an engine what it is, in a process that ends with the answer.
 * @throws Error that says why it cannot run here.
 */
export async function meet(
  entrant: Entrant,
  env: NodeJS.ProcessEnv,
  limitMs: number,
): Promise<Available> {
  const engine = new EngineProcess(entrant.command(env), limitMs);
  try {
    return await engine.ask({ do: "available" });
  } finally {
    engine.end();
  }
}
