/** Opens the engine that a command asked for, says which adapter it is, and closes it again. */
import type { Command } from "commander";
import type { AdapterSummary, Engine, EngineOptions, Picks } from "../engine/index.ts";
import { note } from "./console.ts";

/** The global `--adapter`, from any subcommand. */
export function adapterOption(command: Command): string | undefined {
  const { adapter } = command.optsWithGlobals<{ adapter?: string }>();
  return adapter;
}

/** How an engine is opened: which adapter, and with which kernel variants. */
export interface EngineChoice {
  readonly adapter: string | undefined;
  /** Take the variants that `neco tune` found fastest. */
  readonly tuned?: boolean | undefined;
  /** A run's frozen variants; they come before tuned ones. */
  readonly picks?: Picks | undefined;
}

/** The global `--adapter` and `--tuned`, from any subcommand. */
export function engineChoice(command: Command): EngineChoice {
  const { adapter, tuned } = command.optsWithGlobals<{ adapter?: string; tuned?: boolean }>();
  return { adapter, tuned };
}

/** Tuned picks; says so where there are none, for the user expects some. */
async function tuned(adapter: AdapterSummary): Promise<Picks> {
  const { readTuned } = await import("./tune-cache.ts");
  const results = await readTuned({ adapter });
  if (results.length === 0)
    note("--tuned: nothing was measured on this adapter by this version; run `neco tune` first");
  const { picksOf } = await import("../engine/tuner.ts");
  return picksOf(results);
}

/** Runs work on an engine; the engine is destroyed whatever happens. */
export async function withEngine<T>(
  { adapter, tuned: wantsTuned, picks: frozen }: EngineChoice,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { createEngine } = await import("../engine/index.ts"); // --help needs no GPU library
  const picks: EngineOptions["picks"] = frozen ?? (wantsTuned ? tuned : undefined);
  const engine = await createEngine({
    ...(adapter === undefined ? {} : { adapter }),
    ...(picks === undefined ? {} : { picks }),
  });
  note(`adapter: ${engine.adapter.description}`);
  try {
    return await work(engine);
  } finally {
    engine.destroy();
  }
}
