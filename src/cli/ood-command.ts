/** The options of `neco ood`, as its help shows them. */
import type { Command } from "commander";
import { engineChoice } from "./engine.ts";
import { necoDim, runOod, type OodOptions } from "./ood.ts";
import { append, collect, natural, nonEmptyList, numberIn, oneOf, positive } from "./options.ts";

const share = numberIn({ min: 0, max: 1 });
const recall = numberIn({ min: 0.001, max: 1 });

const EXAMPLES = `
Examples:
  neco ood --id-train train.npz --id-test test.npz --head head.npz --ood svhn=svhn.npz --json ood.json --html ood.html
  neco ood --run runs/digits --ood fashion-mnist --ood digits-8-9=mnist-10k:8-9 --near digits-8-9`;

function addSetOptions(command: Command): Command {
  const own = "repeatable: NAME=FILE of features; with --run also NAME or NAME=DATASET";
  return command
    .option("--run <folder>", "the run; features that are missing are extracted and kept")
    .option("--ensemble <folder>", "a further run, for the method ensemble; repeatable", append)
    .option("--step <n>", "checkpoint of the run: a number, best or last", "best")
    .option("--ood <name=file>", `an OOD set, ${own}`, append)
    .option("--id-train <file>", "ID training features: .npz, .safetensors or the reference's .csv")
    .option("--id-test <file>", "ID test features")
    .option("--id-val <file>", "ID validation features, for --search and --save-detector")
    .option("--head <file>", "W [C, D] and b [C]; default: looked for in the feature files")
    .option("--near <names>", "OOD sets to average as near", collect)
    .option("--far <names>", "OOD sets to average as far", collect)
    .option("--control <names>", "OOD sets that enter no average, such as noise", collect);
}

function addScoreOptions(command: Command): Command {
  const modes = ["official", "paper", "paper-centred"] as const;
  const presets = ["neco", "vim", "openood"] as const;
  const dims = "auto (smallest d with 90 % of the variance), a number, classes, or sweep";
  return command
    .option("--methods <names>", "all, or names by commas", nonEmptyList, ["all"])
    .option("--preset <name>", `whose defaults: ${presets.join(", ")}`, oneOf(...presets), "neco")
    .option("--neco-dim <d>", dims, necoDim, "auto")
    .option("--neco-mode <mode>", modes.join(", "), oneOf(...modes), "official")
    .option("--neco-denominator <kind>", "standardised or raw", oneOf("standardised", "raw"))
    .option("--neco-max-logit <on|off>", "multiply by the largest logit", oneOf("on", "off"), "on")
    .option("--principal-dim <n>", "principal directions of ViM and Residual", positive)
    .option("--rcond <x>", "eigenvalues below x of the largest count as zero", share)
    .option("--param <method.name=value>", "a parameter of one method, repeatable", append)
    .option("--search", "choose NECO's d and the methods' parameters on validation sets")
    .option(
      "--ood-val <name=file>",
      "an OOD validation set for --search, repeatable; with --run also a data set",
      append,
    );
}

/** Adds `neco ood`. */
export function addOod(program: Command): void {
  const command = program
    .command("ood")
    .description(
      "evaluate OOD detection with NECO and its baselines, from a run or from feature files",
    );
  addScoreOptions(addSetOptions(command))
    .option("--bootstrap [n]", "95 % intervals of every figure from n resamples (1000)", positive)
    .option("--bootstrap-seed <n>", "seed of the resamples (default: 0)", natural)
    .option(
      "--delong <method>",
      "test every method's AUROC against this one's (DeLong; p uncorrected)",
    )
    .option("--json <file>", "write the results; - for standard output")
    .option("--html <file>", "write a page with every table and figure (with --run: neco report)")
    .option("--timings <file>", "write seconds by phase and method, and the most GPU memory held")
    .option("--latex <file>", "write the table of AUROC and FPR as papers print it")
    .option("--csv <file>", "write a table of all figures, percent, one row per method")
    .option("--scores <file.npz>", "write the score vectors")
    .option("--csv-openood <file>", "write the results in OpenOOD's columns")
    .option(
      "--save-detector <file.safetensors>",
      "save NECO (else the first method) with its threshold on --id-val, for neco detect",
    )
    .option("--recall <x>", "share of --id-val that the saved detector keeps (0.95)", recall)
    .addHelpText("after", EXAMPLES)
    .action((options: OodOptions, self: Command) => runOod(options, engineChoice(self)));
}
