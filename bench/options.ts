/** The command line of `npm run bench`. */
import { Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../src/util/errors.ts";
import type { RunOptions } from "./run.ts";

/** What can be asked for. */
export interface Options {
  readonly only?: string;
  readonly list?: boolean;
  readonly json?: string;
  readonly html?: string;
  readonly compare?: string;
  readonly peers?: string;
  readonly from?: string;
  readonly turns?: boolean;
  readonly adapter?: string;
  readonly timer: RunOptions["timer"];
  readonly samples: number;
  readonly budget: number;
  readonly profile?: boolean;
}

/**
 * A number above 0.
 * @throws InvalidArgumentError for anything else.
 */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("must be a number above 0");
  return value;
}

/**
 * Refuses options that contradict each other.
 * @throws UsageError that names them.
 */
export function checkOptions(options: Options): void {
  const { from, peers, html } = options;
  const measuring = (["json", "turns", "profile", "list"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (from !== undefined && measuring !== undefined)
    throw new UsageError(`--from measures nothing, so --${measuring} has nothing to do: drop one`);
  if (from !== undefined && html === undefined && options.compare === undefined)
    throw new UsageError("--from needs --html or --compare: what should be made of the figures?");
  if (peers !== undefined && html === undefined)
    throw new UsageError("--peers shows in the page only: add --html FILE");
}

const EXAMPLES = `
Each row runs in an engine of its own, without the driver's shader cache: "cold" is its first call,
compiling included. Medians ± median absolute deviations are of warm calls. "x % of memory" is the
part of what the copy peak allows the row's bytes, "of compute" of the FMA peak.

Examples:
  npm run bench -- --list
  npm run bench -- --only small-vit --turns --profile --html bench.html
  npm run bench -- --only 'matmul,softmax*,* naive' --json new.json --compare old.json
  npm run bench -- --from new.json --compare old.json --peers peers.json --html bench.html`;

/** The command; bad usage throws a CommanderError after its message. */
export const benchCommand = (action: (options: Options) => Promise<void>): Command =>
  new Command("bench")
    .exitOverride()
    .description("time ops and whole workloads on this adapter, against its own measured peaks")
    .option(
      "--only <patterns>",
      "rows by name, by the beginning of their line in --list, or by glob",
    )
    .option("--list", "print the rows instead of measuring them")
    .option("--json <file>", "write the figures there, schema neco-webgpu/bench@1")
    .option("--html <file>", "write a page there: tables, roofline, a chart for each workload")
    .option("--compare <file>", "hold the run against an older one's --json")
    .option("--peers <file>", "show a bench:peers --json beside ours in the page")
    .option("--from <file>", "take the figures of an older --json instead of measuring")
    .option(
      "--turns",
      "time the variants of each row in turns too, for ratios that noise spares, and the host's part of programs beside bare loops",
    )
    .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
    .addOption(
      new Option(
        "--timer <clock>",
        "GPU timestamps or the host's clock; auto: timestamps if there are",
      )
        .choices(["auto", "gpu", "wall"])
        .default("auto"),
    )
    .option("--profile", "time every pass of a program by itself too")
    .option("--samples <n>", "most samples of a row", positive, 20)
    .option(
      "--budget <seconds>",
      "time of a row after which no sample starts (but 3 are taken)",
      positive,
      10,
    )
    .addHelpText("after", EXAMPLES)
    .action(action);
