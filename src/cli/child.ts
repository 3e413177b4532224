/** Runs one of the project's own scripts in a process of its own, with this one's streams. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ChildFailure, EXIT, type ExitCode } from "./exit.ts";

const KNOWN: readonly ExitCode[] = Object.values(EXIT);

/**
 * Runs a TypeScript file of the project.
 * @throws ChildFailure with the child's exit code if it is not 0; the child has said why.
 */
export async function runScript(
  path: string,
  words: readonly string[],
  adapter?: string,
): Promise<void> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, ...words], {
    cwd: root, // where tsx and the paths in package.json resolve
    stdio: "inherit",
    env: { ...process.env, ...(adapter === undefined ? {} : { NECO_ADAPTER: adapter }) },
  });
  // Ctrl-C reaches the child too: let it end in its own way.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (status, signal) => {
        resolve(status ?? (signal === "SIGINT" ? EXIT.interrupted : EXIT.internal));
      });
    });
    if (code !== 0) throw new ChildFailure(KNOWN.find((known) => known === code) ?? EXIT.fixable);
  } finally {
    process.off("SIGINT", ignore);
  }
}
