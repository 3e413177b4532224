/** Opens the engine that a command asked for, says which adapter it is, and closes it again. */
import type { Command } from "commander";
import type { Engine } from "../engine/index.ts";
import { note } from "./console.ts";

/** The global `--adapter`, from any subcommand. */
export function adapterOption(command: Command): string | undefined {
  const { adapter } = command.optsWithGlobals<{ adapter?: string }>();
  return adapter;
}

/** Runs work on an engine; the engine is destroyed whatever happens. */
export async function withEngine<T>(
  adapter: string | undefined,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { createEngine } = await import("../engine/index.ts"); // --help needs no GPU library
  const engine = await createEngine(adapter === undefined ? {} : { adapter });
  note(`adapter: ${engine.adapter.description}`);
  try {
    return await work(engine);
  } finally {
    engine.destroy();
  }
}
