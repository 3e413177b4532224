/** What a training run does: optimizer, schedule, regularisation, augmentation. */
import { UsageError } from "../util/errors.ts";

/** Learning-rate curve after warm-up. */
export type Decay = "cosine" | "linear" | "constant";

/** What products take their operands in; everything else is f32. */
export type Precision = "f32" | "f16";

/** A random part of an image: its share of the area, and its sides' ratio. */
export interface CropRange {
  readonly areaMin: number;
  readonly areaMax: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
}

/** Random changes of training images; the test transform has none. */
export interface Augmentation {
  /** Random shift by up to so many pixels, zeros moving in. */
  readonly pad: number;
  /** Horizontal flip of every second image. */
  readonly flip: boolean;
  /** Random resized crop, as torchvision's; instead of the shift. */
  readonly crop?: CropRange;
}

/** A training recipe. Defaults: {@link REFERENCE_RECIPE}. */
export interface Recipe {
  readonly optimizer: "sgd" | "adamw";
  readonly learningRate: number;
  /** SGD's momentum; AdamW's betas are 0.9 and 0.999. */
  readonly momentum: number;
  readonly weightDecay: number;
  /** Images of one update. */
  readonly batchSize: number;
  /** Micro-batches that an update is split into. */
  readonly accumulate: number;
  readonly steps: number;
  readonly warmupSteps: number;
  readonly decay: Decay;
  /** Gradients are scaled down to this global norm; 0 turns clipping off. */
  readonly maxGradNorm: number;
  readonly labelSmoothing: number;
  /** f16 scales the loss besides, so that small gradients do not vanish. */
  readonly precision: Precision;
  /** Activations are made again for the backward pass instead of being kept: less memory, the same bits. */
  readonly recompute: boolean;
  readonly augmentation: Augmentation;
}

/** ViT-pytorch's recipe, which NECO's train.py keeps (neco-spec 6.3). */
export const REFERENCE_RECIPE: Recipe = {
  optimizer: "sgd",
  learningRate: 3e-2,
  momentum: 0.9,
  weightDecay: 0,
  batchSize: 512,
  accumulate: 1,
  steps: 10_000,
  warmupSteps: 500,
  decay: "cosine",
  maxGradNorm: 1,
  labelSmoothing: 0,
  precision: "f32",
  recompute: false,
  augmentation: {
    pad: 0,
    flip: false,
    crop: { areaMin: 0.05, areaMax: 1, ratioMin: 3 / 4, ratioMax: 4 / 3 },
  },
};

/** Share of the base learning rate at update number `step`, counted from 1. */
export function learningRateFactor({ steps, warmupSteps, decay }: Recipe, step: number): number {
  if (step < warmupSteps) return step / warmupSteps;
  const progress = steps > warmupSteps ? (step - warmupSteps) / (steps - warmupSteps) : 1;
  switch (decay) {
    case "cosine":
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    case "linear":
      return Math.max(0, 1 - progress);
    case "constant":
      return 1;
  }
}

/**
 * Returns a recipe that makes sense.
 * @throws UsageError naming the option that does not.
 */
export function checkRecipe(recipe: Recipe): Recipe {
  const { batchSize, accumulate, steps, learningRate, warmupSteps } = recipe;
  const whole = { "--batch-size": batchSize, "--accumulate": accumulate, "--num-steps": steps };
  for (const [option, value] of Object.entries(whole))
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`${option} must be a whole number ≥ 1, not ${value}`);
  if (batchSize % accumulate !== 0)
    throw new UsageError(
      `--batch-size ${batchSize} does not divide into --accumulate ${accumulate}`,
    );
  if (!(learningRate > 0)) throw new UsageError(`--learning-rate must be > 0, not ${learningRate}`);
  if (!(warmupSteps >= 0)) throw new UsageError(`--warmup-steps must be ≥ 0, not ${warmupSteps}`);
  return recipe;
}
