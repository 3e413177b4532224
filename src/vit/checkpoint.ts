/** Checkpoints: weights in timm's layout, optimizer state beside them, both as safetensors. */
import { FormatError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { hostArray, loadFloats, parseSafetensors, serialiseSafetensors } from "../io/index.ts";
import type { HostArray } from "../io/index.ts";
import { storedConfig } from "./config.ts";
import type { ViTConfig } from "./config.ts";
import type { Picks } from "../engine/index.ts";
import type { TrainState } from "./optimizer.ts";
import { loadTimm, timmArrays } from "./weights/timm.ts";
import type { ParamValues } from "./weights/timm.ts";

/** The best validation result so far. */
export interface BestSoFar {
  readonly step: number;
  readonly accuracy: number;
}

/** Files of a checkpoint; the weights are written last, so their presence says it is complete. */
export interface CheckpointFiles {
  readonly step: number;
  readonly weights: Uint8Array;
  readonly optimizer: Uint8Array;
}

/** A checkpoint that was read back, ready to go on. */
export interface ResumePoint {
  readonly step: number;
  readonly values: ParamValues;
  readonly moments: readonly ParamValues[];
  readonly best: BestSoFar | null;
  /** Kernel variants of the run, frozen so that it goes on to the same bits. */
  readonly picks: Picks;
  /** State of dynamic loss scaling, of runs that have it. */
  readonly lossScale: readonly number[] | null;
}

const momentKey = (index: number, name: string): string => `moment${index}/${name}`;

/** Reads the state back from the GPU and makes the files of a checkpoint. */
export async function makeCheckpoint(
  state: TrainState,
  config: ViTConfig,
  progress: { step: number; best: BestSoFar | null; picks: Picks },
): Promise<CheckpointFiles> {
  const { step, best, picks } = progress;
  const values = await state.params.read();
  const moments: Record<string, HostArray> = {};
  const read = await Promise.all(state.moments.map((arenas) => state.params.read(arenas)));
  read.forEach((byName, index) => {
    for (const [name, moment] of byName) moments[momentKey(index, name)] = hostArray(moment);
  });
  const notes = {
    step: String(step),
    best: JSON.stringify(best),
    picks: JSON.stringify(picks),
    ...(state.lossScale
      ? { loss_scale: JSON.stringify([...(await state.lossScale.floats())]) }
      : {}),
  };
  return {
    step,
    weights: await serialiseSafetensors(timmArrays(config, values), {
      format: "pt",
      model: JSON.stringify(config),
      step: String(step),
    }),
    optimizer: await serialiseSafetensors(moments, notes),
  };
}

/**
 * The model of a weights file written by {@link makeCheckpoint}.
 * @throws FormatError if the file is damaged or names no model.
 */
export async function readModel(
  weights: Uint8Array,
  file: string,
): Promise<{ config: ViTConfig; values: ParamValues; step: number }> {
  const store = await parseSafetensors(weights, file);
  const { model, step } = store.metadata;
  if (model === undefined)
    throw new FormatError(file, "names no model in its metadata; give --model and use --weights");
  const config = storedConfig(JSON.parse(model) as object);
  const options = { head: "keep", interpolation: "bilinear" } as const;
  const { values } = await loadTimm(store, config, new Map(), options);
  return { config, values, step: Number(step ?? 0) };
}

/**
 * Reads both files of a checkpoint.
 * @throws FormatError if one is damaged, or they are of different steps.
 */
export async function readCheckpoint(
  files: Omit<CheckpointFiles, "step">,
  file: string,
): Promise<ResumePoint & { readonly config: ViTConfig }> {
  const { config, values, step } = await readModel(files.weights, file);
  const optimizerFile = `${file} (optimizer)`;
  const store = await parseSafetensors(files.optimizer, optimizerFile);
  if (Number(store.metadata["step"]) !== step)
    throw new FormatError(optimizerFile, `is of another step than the weights (${step})`);
  const moments: Map<string, Float32Array>[] = [];
  for (const key of store.names) {
    const slash = key.indexOf("/");
    const index = Number(key.slice("moment".length, slash));
    while (moments.length <= index) moments.push(new Map());
    const stored = await store.find(key);
    if (stored) at(moments, index).set(key.slice(slash + 1), await loadFloats(stored));
  }
  const { best = "null", picks = "{}", loss_scale: lossScale = "null" } = store.metadata;
  return {
    config,
    step,
    values,
    moments,
    best: JSON.parse(best) as BestSoFar | null, // written by makeCheckpoint
    picks: JSON.parse(picks) as Picks,
    lossScale: JSON.parse(lossScale) as number[] | null,
  };
}
