/** `neco detect`: judges images or features with a saved detector. */
import type { Command } from "commander";
import { exists } from "#platform";
import { readImage } from "../data/folder.ts";
import type { Engine } from "../engine/index.ts";
import { isRecord } from "../io/json.ts";
import { openFeatures } from "../io/index.ts";
import { Detector, type Judgement } from "../neco/index.ts";
import { figure, methodTitle, percent, textTable } from "../report/index.ts";
import { DataError, FormatError, UsageError } from "../util/errors.ts";
import { checkConfig, type ViTConfig } from "../vit/index.ts";
import { note, print, writeJson } from "./console.ts";
import { adapterOption, withEngine } from "./engine.ts";
import { withPredictor } from "./models.ts";
import { isFeatureFile } from "./options.ts";
import { runPath } from "./run-folder.ts";

/** A judgement with the input it is about. */
export interface NamedJudgement extends Judgement {
  readonly input: string;
}

interface Preprocessing {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * How the detector's images are prepared, from its file.
 * @throws FormatError if the file does not carry a model of images.
 */
export function imageModelOf(
  { spec }: Detector,
  file: string,
): { config: ViTConfig; input: Preprocessing } {
  const { preprocessing: input, model } = spec;
  if (!isRecord(input) || !isRecord(model) || Object.keys(spec.modelArrays).length === 0)
    throw new FormatError(
      file,
      "carries no model, so it judges feature files only; make one with neco ood --run to judge images",
    );
  const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);
  return {
    config: checkConfig(model as unknown as ViTConfig), // written by neco ood --run
    input: {
      height: Number(input["height"]),
      width: Number(input["width"]),
      channels: input["channels"] === 1 ? 1 : 3,
      mean: numbers(input["mean"]),
      std: numbers(input["std"]),
    },
  };
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
  file: string,
  paths: readonly string[],
): Promise<NamedJudgement[]> {
  const { config, input } = imageModelOf(detector, file);
  const { modelArrays, head } = detector.spec;
  if (head === null)
    throw new FormatError(file, "holds no head; make it again with neco ood --run");
  const values = new Map(Object.entries(modelArrays).map(([name, array]) => [name, array.values]));
  const images = await Promise.all(paths.map((path) => readImage(path, input)));
  const model = { config, values, head, step: 0, hash: "" };
  return withPredictor(engine, model, input, async (predictor) => {
    const run = async (batch: readonly Uint8Array[]): ReturnType<typeof predictor.predict> => {
      const size = input.height * input.width * input.channels;
      const pixels = new Uint8Array(batch.length * size);
      batch.forEach((image, index) => {
        pixels.set(image, index * size);
      });
      return predictor.predict(pixels);
    };
    const judgements = await detector.detect({ run }, images);
    return judgements.map((judgement, index) => ({ input: paths[index] ?? "", ...judgement }));
  });
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
  adapter: string | undefined,
): Promise<void> {
  const file =
    options.detector ?? (options.run === undefined ? undefined : runPath(options.run, "detector"));
  if (file === undefined) throw new UsageError("give --detector FILE or --run DIR");
  const inputs = await imagePaths(paths);
  const isFeatures = inputs.every(isFeatureFile);
  if (!isFeatures && inputs.some(isFeatureFile))
    throw new UsageError("give images or feature files, not both at once");
  await withEngine(adapter, async (engine) => {
    const detector = await Detector.load(file, { engine });
    const judgements = isFeatures
      ? await judgeFeatures(detector, inputs)
      : await judgeImages(engine, detector, file, inputs);
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
      ) => runDetect(inputs, options, adapterOption(command)),
    );
}
