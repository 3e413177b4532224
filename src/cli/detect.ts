/** `neco detect`: judges images or features with a saved detector. */
import type { Command } from "commander";
import { exists } from "#platform";
import type { Engine } from "../engine/index.ts";
import { ImageDetector } from "../image-detector.ts";
import { openFeatures } from "../io/index.ts";
import { Detector, type Judgement } from "../neco/index.ts";
import { figure, methodTitle, percent, textTable } from "../report/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { note, print, writeJson } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import type { EngineChoice } from "./engine.ts";
import { isFeatureFile } from "./options.ts";
import { runPath } from "./run-folder.ts";

/** A judgement with the input it is about. */
export interface NamedJudgement extends Judgement {
  readonly input: string;
}

/** Image files of the arguments; a folder stands for the images in it. */
async function imagePaths(paths: readonly string[]): Promise<string[]> {
  for (const path of paths)
    if (!(await exists(path))) throw new DataError(`${path} does not exist: check the path`);
  return [...paths];
}

async function judgeImages(
  engine: Engine,
  detector: Detector,
  paths: readonly string[],
): Promise<NamedJudgement[]> {
  const images = new ImageDetector(engine, detector.spec);
  const judgements = await images.detect(paths);
  images.dispose();
  return judgements.map((judgement, index) => ({ input: paths[index] ?? "", ...judgement }));
}

async function judgeFeatures(
  detector: Detector,
  paths: readonly string[],
): Promise<NamedJudgement[]> {
  const all: NamedJudgement[] = [];
  for (const path of paths) {
    const source = await openFeatures(path);
    try {
      const judgements = await detector.judge(source);
      all.push(...judgements.map((judgement, row) => ({ input: `${path}[${row}]`, ...judgement })));
    } finally {
      await source.close();
    }
  }
  return all;
}

/** Judgements as a table. */
export function judgementTable(judgements: readonly NamedJudgement[]): string {
  const rows = judgements.map(({ input, label, labelIndex, probs, score, isOod }) => [
    input,
    isOod ? "out of distribution" : "in distribution",
    label ?? "–",
    labelIndex === null ? "–" : percent(probs[labelIndex]),
    figure(score),
  ]);
  return textTable(["input", "judgement", "label", "probability %", "score"], rows);
}

async function runDetect(
  paths: readonly string[],
  options: { readonly detector?: string; readonly run?: string; readonly json?: string },
  choice: EngineChoice,
): Promise<void> {
  const file =
    options.detector ?? (options.run === undefined ? undefined : runPath(options.run, "detector"));
  if (file === undefined) throw new UsageError("give --detector FILE or --run DIR");
  if (options.detector === undefined && !(await exists(file)))
    throw new DataError(
      `${options.run ?? "the run"} has no detector yet: make one with neco ood --run, which saves it there`,
    );
  const inputs = await imagePaths(paths);
  const isFeatures = inputs.every(isFeatureFile);
  if (!isFeatures && inputs.some(isFeatureFile))
    throw new UsageError("give images or feature files, not both at once");
  await withEngine(choice, async (engine) => {
    const detector = await Detector.load(file, { engine });
    const judgements = isFeatures
      ? await judgeFeatures(detector, inputs)
      : await judgeImages(engine, detector, inputs);
    const { method, threshold, recall } = detector.spec;
    note(
      `${methodTitle(method)}: out of distribution below ${figure(threshold)}, which ${percent(recall)} % of ID validation reach`,
    );
    if (options.json !== undefined)
      await writeJson(options.json, {
        schema: "neco-webgpu/detect@1",
        method,
        threshold,
        judgements: judgements.map((judgement) => ({
          ...judgement,
          probs: Array.from(judgement.probs),
        })),
      });
    if (options.json !== "-") print(judgementTable(judgements));
    detector.dispose();
  });
}

const EXAMPLES = `
Examples:
  neco detect --run runs/digits seven.png shoe.jpg
  neco detect --detector detector.safetensors features.npz --json judged.json`;

/** Adds `neco detect`. */
export function addDetect(program: Command): void {
  program
    .command("detect")
    .description("judge images or features: label, score, threshold, in or out of distribution")
    .argument("<inputs...>", "image files, or feature files")
    .option("--detector <file>", "a saved detector")
    .option("--run <folder>", "the run whose detector is used")
    .option("--json <file>", "write the judgements; - for standard output")
    .addHelpText("after", EXAMPLES)
    .action(
      (
        inputs: string[],
        options: { detector?: string; run?: string; json?: string },
        command: Command,
      ) => runDetect(inputs, options, engineChoice(command)),
    );
}
