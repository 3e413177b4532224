/** The `neco` command line: global options, help and one subcommand per file. */
import { Command } from "commander";
import { readFileSync } from "node:fs";
import { isRecord } from "../io/json.ts";
import { withoutAliases } from "./aliases.ts";
import { endingOf, EXIT, type ExitCode } from "./exit.ts";

/** Adds one subcommand. */
export type AddCommand = (program: Command) => void;

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  return isRecord(parsed) && typeof parsed["version"] === "string" ? parsed["version"] : "unknown";
}

const FOOTER = `
Exit codes: 0 done, 1 you can fix it (the message says how), 2 bad usage, 3 internal error,
130 interrupted (a training run resumes with --resume).
The reference's option spellings (--warmup_steps, --test_NC, --neco_dim …) work too.`;

/** Builds the command line; errors are thrown, never exited on. */
export function buildProgram(commands: readonly AddCommand[]): Command {
  const program = new Command("neco")
    .description(
      "Train Vision Transformers on WebGPU, measure neural collapse, and find out-of-distribution inputs with NECO.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader (also NECO_ADAPTER)")
    .option("--tuned", "the kernel variants that `neco tune` found fastest on this adapter")
    .addHelpText("after", FOOTER)
    .showHelpAfterError("(add --help for the options)")
    .exitOverride();
  for (const add of commands) add(program);
  return program;
}

/** Runs a command line (without node and script) and returns its exit code. */
export async function runCli(
  words: readonly string[],
  commands: readonly AddCommand[],
): Promise<ExitCode> {
  try {
    const program = buildProgram(commands);
    if (words.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync(withoutAliases(words), { from: "user" });
    return EXIT.done;
  } catch (error) {
    const { code, message } = endingOf(error);
    if (message !== "") process.stderr.write(`${message}\n`);
    return code;
  }
}
