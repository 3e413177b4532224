/** `neco bench`: hands its arguments to bench/main.ts, which measures. */
import type { Command } from "commander";
import { resolve } from "node:path";
import { runScript } from "./child.ts";
import { adapterOption } from "./engine.ts";

const PATH_OPTIONS = new Set(["--json", "--html", "--out", "--compare", "--peers", "--from"]);

/** Relative paths mean the caller's folder, but the script runs in the project's. */
export const absolutePaths = (words: readonly string[]): string[] =>
  words.map((word, index) => (PATH_OPTIONS.has(words[index - 1] ?? "") ? resolve(word) : word));

/** Adds `neco bench`. */
export function addBench(program: Command): void {
  program
    .command("bench")
    .description("measure kernels and training steps against the adapter's own peaks")
    .argument("[options...]", "options of the bench, such as --only softmax --json FILE")
    .allowUnknownOption()
    .addHelpText(
      "after",
      "\nExamples:\n  neco bench --only matmul\n  neco bench --json bench.json\n  neco bench --only small-vit --turns --html bench.html",
    )
    .action((words: string[], _options: object, command: Command) =>
      runScript("bench/main.ts", absolutePaths(words), adapterOption(command)),
    );
}
