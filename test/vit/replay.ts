/** What replayed training steps ask of the device, and a step as `train` runs it; both precisions. */
import { smallViTInputs } from "../../bench/small-vit.ts";
import { SMALL_VIT, workloadParams } from "../../bench/workloads.ts";
import { ParamSet } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { GPU_BUFFER_USAGE } from "../../src/engine/pool.ts";
import { REFERENCE_RECIPE } from "../../src/vit/index.ts";
import type { Precision, Recipe } from "../../src/vit/index.ts";
import { createTrainState } from "../../src/vit/optimizer.ts";
import { createStepper } from "../../src/vit/step.ts";
import { packPixels } from "../../src/vit/transform.ts";

/**
 * All that a replayed step asks of the device: nothing made, copied or read back, one submit. The
 * batch's values are one write and all inputs of at most 256 bytes, which share a buffer, another.
 */
export const REPLAYED = {
  writeBuffer: 2,
  createCommandEncoder: 1,
  beginComputePass: 1,
  finish: 1,
  submit: 1,
} as const;

/** Counts the calls of an object's methods, on its prototype, until the returned function is called. */
function tap(object: object, calls: Record<string, number>): () => void {
  const prototype = Object.getPrototypeOf(object) as object;
  const own = Object.getOwnPropertyDescriptors(prototype);
  for (const [name, descriptor] of Object.entries(own)) {
    const method: unknown = descriptor.value;
    if (typeof method !== "function" || name === "constructor") continue;
    function counted(this: object, ...given: unknown[]): unknown {
      calls[name] = (calls[name] ?? 0) + 1;
      return Reflect.apply(method as () => unknown, this, given);
    }
    Object.defineProperty(prototype, name, { ...descriptor, value: counted });
  }
  return () => {
    Object.defineProperties(prototype, own);
  };
}

/** Every method of the device, its queue, encoders and buffers that `act` calls, and how often. */
export async function callsDuring(
  { gpu: { device } }: Engine,
  act: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const buffer = device.createBuffer({ size: 4, usage: GPU_BUFFER_USAGE.COPY_DST });
  const encoder = device.createCommandEncoder();
  const calls: Record<string, number> = {};
  const taps = [device, device.queue, encoder, buffer].map((object) => tap(object, calls));
  try {
    await act();
  } finally {
    for (const remove of taps) remove();
    buffer.destroy();
  }
  return calls;
}

/** A step of `train`, replayed on one batch, and the tally it adds to. */
export interface AdamStep {
  readonly run: () => Promise<unknown>;
  readonly tally: Tensor;
}

/** The small ViT's step as `train` runs it: images augmented on the GPU, AdamW after clipping. */
export function adamStep(engine: Engine, precision: Precision): AdamStep {
  const augmentation = { pad: 2, flip: true };
  const recipe: Recipe = {
    ...REFERENCE_RECIPE,
    optimizer: "adamw",
    weightDecay: 0.01,
    maxGradNorm: 1,
    precision,
    augmentation,
  };
  const state = createTrainState(engine, new ParamSet(engine, workloadParams(SMALL_VIT)), recipe);
  const side = SMALL_VIT.imageSize;
  const size = { height: side, width: side, channels: 1, imageSize: side };
  const transform = { ...size, mean: [0.5], std: [0.5], augmentation };
  const stepper = createStepper(engine, state, { config: SMALL_VIT, recipe, transform });
  const { labels, validRows, learningRate, step } = smallViTInputs();
  const pixels = packPixels(new Uint8Array(labels.length * side * side).map((_, k) => k % 251));
  const batch = { pixels, labels, validRows, key: new Uint32Array([3, 0, 1, 0]) };
  return { run: () => stepper.step([batch], { learningRate, step }), tally: state.tally };
}
