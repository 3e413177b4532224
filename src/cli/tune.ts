/** `neco tune`: times every kernel variant on this adapter; `--tuned` then picks the fastest. */
import type { Command } from "commander";
import { ParamSet, valueAndGrad } from "../engine/index.ts";
import type { Engine } from "../engine/index.ts";
import { callsOf, tune } from "../engine/tuner.ts";
import type { TuneCall, TuneResult } from "../engine/tuner.ts";
import { initialValues, paramSpecs, tokenCount, ViT, vitConfig } from "../vit/index.ts";
import type { Precision } from "../vit/index.ts";
import { note, print, startProgress, writeJson } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import { interruptible } from "./interrupt.ts";
import { collect, positive } from "./options.ts";
import { clearTuned, keepTuned, readTuned, tuneFile } from "./tune-cache.ts";

interface TuneCommandOptions {
  readonly model: readonly string[];
  readonly imgSize?: number;
  readonly batchSize: number;
  readonly fp16?: boolean;
  readonly rounds: number;
  readonly show?: boolean;
  readonly clear?: boolean;
  readonly json?: string;
}

const DEFAULT_MODELS = ["vit-small-28"];

/** The calls of a training step and of inference on a batch of a model. */
function modelCalls(
  engine: Engine,
  name: string,
  { imgSize, batchSize, fp16 }: TuneCommandOptions,
): TuneCall[] {
  const precision: Precision = fp16 ? "f16" : "f32";
  const config = vitConfig(name, imgSize === undefined ? {} : { imageSize: imgSize });
  const { patch, channels } = config;
  return engine.scope(() => {
    const params = new ParamSet(engine, paramSpecs(config, initialValues(config, 1)));
    const patches = engine.zeros([batchSize, tokenCount(config) - 1, patch * patch * channels]);
    const labels = engine.zeros([batchSize], "i32");
    const validRows = engine.zeros([1], "u32");
    return callsOf(engine, () => {
      valueAndGrad(engine, params.tensors, () => {
        const { logits } = new ViT(engine.ops, config, params, { precision }).encode(patches);
        return engine.ops.crossEntropy(logits, labels, validRows);
      });
    });
  });
}

/** One line per call: the pick, what it was without tuning, and every variant's time. */
function lines(results: readonly TuneResult[]): string[] {
  return results.map(({ key, pick, standard, timings }) => {
    const times = Object.entries(timings)
      .sort(([, a], [, b]) => a.median - b.median)
      .map(([name, { median, mad, samples }]) =>
        samples > 1
          ? `${name} ${median.toFixed(2)} ± ${mad.toFixed(2)} ms`
          : `${name} about ${median.toFixed(0)} ms`,
      );
    return `${key}: ${pick === standard ? pick : `${pick} instead of ${standard}`} (${times.join(", ")})`;
  });
}

async function measure(engine: Engine, options: TuneCommandOptions): Promise<TuneResult[]> {
  const calls = options.model.flatMap((name) => modelCalls(engine, name, options));
  const unique = [...new Map(calls.map((call) => [JSON.stringify(call), call])).values()];
  const progress = startProgress("tuning", unique.length);
  return interruptible(async (signal) => {
    try {
      return await tune(engine, unique, {
        rounds: options.rounds,
        signal,
        onProgress: (done, key) => {
          progress.update(done, key);
        },
      });
    } finally {
      progress.stop();
    }
  });
}

async function runTune(engine: Engine, options: TuneCommandOptions): Promise<void> {
  if (options.clear) {
    await clearTuned(engine);
    note(`forgot what was measured on this adapter (${tuneFile(engine)})`);
    return;
  }
  const results = options.show ? await readTuned(engine) : await measure(engine, options);
  if (!options.show) {
    const path = await keepTuned(engine, results);
    const changed = results.filter(({ pick, standard }) => pick !== standard).length;
    note(`${changed} of ${results.length} picks differ from the static ones; kept in ${path}`);
  } else if (results.length === 0)
    note("nothing was measured on this adapter by this version: run `neco tune`");
  if (options.json !== "-") for (const line of lines(results)) print(line);
  if (options.json !== undefined)
    await writeJson(options.json, {
      schema: "neco-webgpu/tuner@1",
      adapter: engine.adapter.description,
      results,
    });
}

/** Adds `neco tune`. */
export function addTune(program: Command): void {
  program
    .command("tune")
    .description("time every kernel variant on this adapter, for --tuned to pick the fastest")
    .option(
      "--model <names>",
      `models whose training steps are looked at, repeatable (default: ${DEFAULT_MODELS.join(", ")})`,
      collect,
    )
    .option("--img-size <n>", "side of the models' input in pixels", positive)
    .option("--batch-size <n>", "images of one micro-batch", positive, 64)
    .option("--fp16", "the steps of train --fp16 instead (needs an adapter with shader-f16)")
    .option("--rounds <n>", "samples of each variant, taken in turns", positive, 9)
    .option("--show", "print what was measured before")
    .option("--clear", "forget what was measured on this adapter")
    .option("--json <file>", "all timings as JSON (- for standard output)")
    .addHelpText(
      "after",
      "\nWithout --tuned every run uses static picks, so that the same seed gives the same bits;\na training run keeps its picks through --resume.\n\nExamples:\n  neco tune --model vit-micro-28\n  neco --tuned train --dataset fashion-mnist --out runs/fm\n  neco tune --show",
    )
    .action((given: Omit<TuneCommandOptions, "model"> & { model?: string[] }, command: Command) => {
      const options = { ...given, model: given.model ?? DEFAULT_MODELS };
      for (const name of options.model) vitConfig(name); // an unknown one must not wait for an adapter
      return withEngine(engineChoice(command), (engine) => runTune(engine, options));
    });
}
