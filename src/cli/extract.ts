/** `neco extract`: features, logits and labels of a data set under a model, in one file. */
import type { Command } from "commander";
import { loadDataset, loadOod } from "../data/registry.ts";
import { SPLIT_NAMES, type ImageDataset, type SplitName } from "../data/dataset.ts";
import type { Engine } from "../engine/index.ts";
import { UsageError } from "../util/errors.ts";
import { print } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import type { EngineChoice } from "./engine.ts";
import { extractFeatures } from "./extract-features.ts";
import { loadNamedModel, loadRunModel, type Augmenting, type LoadedModel } from "./models.ts";
import { oneOf, positive, shard } from "./options.ts";
import { recipeFrom } from "./recipes.ts";
import { openRunAt } from "./run-features.ts";
import { listSteps } from "./run-folder.ts";

/** Options of `neco extract` as commander gives them. */
interface ExtractOptions {
  readonly run?: string;
  readonly step: string;
  readonly weights?: string;
  readonly model?: string;
  readonly dataset?: string;
  readonly split: SplitName;
  readonly transform: "test" | "train";
  readonly imgSize?: number;
  readonly out?: string;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly half?: boolean;
}

/** A model with the data set in the geometry that it expects. */
interface Source {
  readonly model: LoadedModel;
  readonly dataset: ImageDataset;
  /** The run's own augmentation, if --transform train asks for it. */
  readonly augment?: Augmenting;
}

/** `features.npz` at step 10 of several → `features-step10.npz`. */
export const atStep = (path: string, step: number): string =>
  path.replace(/(\.[^./\\]+)?$/, (ending) => `-step${step}${ending}`);

async function fromRun(
  folder: string,
  { dataset: spec, transform }: ExtractOptions,
  step: string,
): Promise<Source> {
  const run = await openRunAt(folder, step);
  const { spec: own, name } = run.config.dataset;
  const isOwn = spec === undefined || spec === own || spec === name;
  const dataset = isOwn ? run.dataset : await loadOod(spec, run.dataset);
  const source = { model: run.model, dataset };
  if (transform === "test") return source;
  const { augmentation } = recipeFrom(run.config.recipe);
  return { ...source, augment: { augmentation, seed: run.config.seed } };
}

/** Pretrained weights expect pixels in [−1, 1] and as many channels as their patches have. */
async function fromWeights(options: ExtractOptions): Promise<Source> {
  const { weights, model: name, dataset: spec, imgSize } = options;
  if (weights === undefined || name === undefined || spec === undefined)
    throw new UsageError("give --run DIR, or --weights FILE --model NAME --dataset NAME");
  const model = await loadNamedModel(
    weights,
    name,
    imgSize === undefined ? {} : { imageSize: imgSize },
  );
  const { imageSize } = model.config;
  const channels = model.config.channels === 1 ? 1 : 3;
  const half = Array.from({ length: channels }, () => 0.5);
  const geometry = { height: imageSize, width: imageSize, channels } as const;
  const loaded = await loadDataset(spec, { geometry });
  const { height, width } = loaded;
  const { toGeometry } = await import("../data/convert.ts");
  return {
    model,
    dataset: toGeometry(loaded, { ...loaded, height, width, channels, mean: half, std: half }),
  };
}

async function extractOne(
  engine: Engine,
  options: ExtractOptions,
  source: Source,
  out: string,
): Promise<void> {
  const { split, shard: part, half } = options;
  const { count } = source.dataset.splits[split];
  const bounds = part && [0, 1].map((end) => Math.floor(((part.index + end) * count) / part.count));
  const [start, end] = bounds ?? [];
  await extractFeatures(
    engine,
    {
      ...source,
      split,
      ...(start === undefined || end === undefined ? {} : { rows: [start, end] as const }),
      dtype: half === true ? "f16" : "f32",
    },
    out,
  );
  print(`features: ${out}`);
}

async function runExtract(options: ExtractOptions, choice: EngineChoice): Promise<void> {
  const { out, run, step } = options;
  if (out === undefined) throw new UsageError("give --out FILE.npz (or .safetensors)");
  if (options.transform === "train" && run === undefined)
    throw new UsageError(
      "--transform train needs --run, whose recipe says how images are augmented",
    );
  if (run === undefined) {
    const source = await fromWeights(options);
    await withEngine(choice, (engine) => extractOne(engine, options, source, out));
    return;
  }
  const first = await fromRun(run, options, step === "all" ? "last" : step);
  await withEngine(choice, async (engine) => {
    if (step !== "all") {
      await extractOne(engine, options, first, out);
      return;
    }
    for (const each of await listSteps(run))
      await extractOne(
        engine,
        options,
        { ...first, model: await loadRunModel(run, each) },
        atStep(out, each),
      );
  });
}

const EXAMPLES = `
Examples:
  neco extract --run runs/digits --split test --out digits-test.npz
  neco extract --run runs/digits --dataset fashion-mnist --out fashion.npz
  neco extract --weights ViT-B_16.npz --model ViT-B_16 --dataset photos/ --out photos.npz`;

/** Adds `neco extract`. */
export function addExtract(program: Command): void {
  program
    .command("extract")
    .description("write features, logits and labels of a data set, in evaluation mode")
    .option("--run <folder>", "the run whose model is used")
    .option("--step <n>", "checkpoint of the run: a number, all, best or last", "best")
    .option("--weights <file>", "weights instead of a run: .npz or .safetensors")
    .option("--model <name>", "size of the model in --weights")
    .option("--img-size <n>", "side of the model's input in pixels", positive)
    .option("--dataset <name|path>", "default: the run's own data set")
    .option("--split <name>", SPLIT_NAMES.join(", "), oneOf(...SPLIT_NAMES), "test")
    .option(
      "--transform <name>",
      "test, or train for the run's own augmentation",
      oneOf("test", "train"),
      "test",
    )
    .option("--out <file>", "where to write: .npz or .safetensors")
    .option("--shard <i/n>", "only the i-th of n parts, counted from 0", shard)
    .option("--half", "store features as f16")
    .addHelpText("after", EXAMPLES)
    .action((options: ExtractOptions, command: Command) =>
      runExtract(options, engineChoice(command)),
    );
}
