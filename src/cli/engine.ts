/** Opens the engine that a command asked for, says which adapter it is, and closes it again. */
import type { Command } from "commander";
import type { Engine } from "../engine/index.ts";
import { note } from "./console.ts";

/** The global `--adapter`, from any subcommand. */
export function adapterOption(command: Command): string | undefined {
  const { adapter } = command.optsWithGlobals<{ adapter?: string }>();
  return adapter;
}

/** How an engine is opened: the adapter alone, or with a run's frozen kernel variants. */
export interface EngineChoice {
  readonly adapter: string | undefined;
  readonly picks?: Readonly<Record<string, string>> | undefined;
}

/** Runs work on an engine; the engine is destroyed whatever happens. */
export async function withEngine<T>(
  choice: string | undefined | EngineChoice,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { adapter, picks } = typeof choice === "object" ? choice : { adapter: choice };
  const { createEngine } = await import("../engine/index.ts"); // --help needs no GPU library
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
