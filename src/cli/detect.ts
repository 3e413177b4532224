/** `neco detect`: judges images or features with a saved detector. */
import type { Command } from "commander";
import { exists } from "#platform";
import type { Engine } from "../engine/index.ts";
import { ImageDetector } from "../image-detector.ts";
import { isPickleName, openFeatures, pickleError } from "../io/index.ts";
import { Detector } from "../neco/index.ts";
import { figure, methodTitle, percent } from "../report/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { note } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import type { EngineChoice } from "./engine.ts";
import { Judgements, type JudgementOutputs } from "./judgements.ts";
import { isFeatureFile } from "./options.ts";
import { checkOutputs } from "./outputs.ts";
import { runPath } from "./run-folder.ts";

/** Options of `neco detect` as commander gives them. */
interface DetectOptions extends JudgementOutputs {
  readonly detector?: string;
  readonly run?: string;
}

const IMAGES_AT_ONCE = 64; // decoded and held together

async function judgeImages(
  engine: Engine,
  { spec }: Detector,
  paths: readonly string[],
  into: Judgements,
): Promise<void> {
  const images = new ImageDetector(engine, spec);
  try {
    for (let start = 0; start < paths.length; start += IMAGES_AT_ONCE) {
      const part = paths.slice(start, start + IMAGES_AT_ONCE);
      const judgements = await images.detect(part);
      await into.add(judgements.map((one, index) => ({ input: part[index] ?? "", ...one })));
    }
  } finally {
    images.dispose();
  }
}

async function judgeFeatures(
  detector: Detector,
  paths: readonly string[],
  into: Judgements,
): Promise<void> {
  for (const path of paths) {
    const source = await openFeatures(path);
    if (source.rows === 0) note(`warning: ${path} holds no rows`);
    try {
      await detector.judgeEach(source, (judgements, start) =>
        into.add(judgements.map((one, row) => ({ input: `${path}[${start + row}]`, ...one }))),
      );
    } finally {
      await source.close();
    }
  }
  if (into.count === 0) throw new DataError(`nothing to judge: ${paths.join(", ")} hold no rows`);
}

/** The detector's file. */
async function detectorFile({ detector, run }: DetectOptions): Promise<string> {
  if (detector !== undefined) return detector;
  if (run === undefined) throw new UsageError("give --detector FILE or --run DIR");
  const file = runPath(run, "detector");
  if (await exists(file)) return file;
  throw new DataError(
    `${run} has no detector yet: make one with neco ood --run, which saves it there`,
  );
}

/**
 * True if the inputs are feature files, false if they are images.
 * @throws DataError if one does not exist.
 */
async function areFeatures(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    if (!(await exists(path))) throw new DataError(`${path} does not exist: check the path`);
    if (isPickleName(path)) throw pickleError(path);
  }
  const isFeatures = paths.every(isFeatureFile);
  if (!isFeatures && paths.some(isFeatureFile))
    throw new UsageError("give images or feature files, not both at once");
  return isFeatures;
}

async function runDetect(
  inputs: readonly string[],
  options: DetectOptions,
  choice: EngineChoice,
): Promise<void> {
  const { json, csv } = options;
  if (json === "-" && csv === "-") throw new UsageError("only one of --json and --csv can be -");
  const file = await detectorFile(options);
  const isFeatures = await areFeatures(inputs);
  await checkOutputs([json, csv]);
  await withEngine(choice, async (engine) => {
    const detector = await Detector.load(file, { engine });
    const { method, threshold, recall } = detector.spec;
    note(
      `${methodTitle(method)}: out of distribution below ${figure(threshold)}, which ${percent(recall)} % of ID validation reach`,
    );
    const judgements = await Judgements.open(detector.spec, options);
    try {
      if (isFeatures) await judgeFeatures(detector, inputs, judgements);
      else await judgeImages(engine, detector, inputs, judgements);
      await judgements.finish();
    } catch (error) {
      await judgements.abort();
      throw error;
    } finally {
      detector.dispose();
    }
  });
}

const EXAMPLES = `
Examples:
  neco detect --run runs/digits seven.png shoe.jpg
  neco detect --detector detector.safetensors features.npz --csv judged.csv`;

/** Adds `neco detect`. */
export function addDetect(program: Command): void {
  program
    .command("detect")
    .description("judge images or features: label, score, threshold, in or out of distribution")
    .argument("<inputs...>", "image files, or feature files")
    .option("--detector <file>", "a saved detector")
    .option("--run <folder>", "the run whose detector is used")
    .option("--json <file>", "write the judgements (.jsonl: one a line); - for standard output")
    .option("--csv <file>", "write the judgements without all probabilities; - for standard output")
    .addHelpText("after", EXAMPLES)
    .action((inputs: string[], options: DetectOptions, command: Command) =>
      runDetect(inputs, options, engineChoice(command)),
    );
}
