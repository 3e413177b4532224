/** `neco train`'s options turned into a model, a data set's geometry and a recipe. */
import type { ImageDataset } from "../data/dataset.ts";
import { UsageError } from "../util/errors.ts";
import { checkRecipe, vitConfig, type Recipe, type ViTConfig } from "../vit/index.ts";
import {
  fillRecipe,
  RECIPES,
  suitedAugmentation,
  type NamedRecipe,
  type RecipeName,
} from "./recipes.ts";

/** Options of `neco train` as commander gives them. */
export interface TrainCommandOptions {
  readonly dataset?: string;
  readonly model?: string;
  readonly pretrained?: string;
  readonly fromScratch?: boolean;
  readonly imgSize?: number;
  readonly batchSize?: number;
  readonly accumulate?: number;
  readonly optimizer?: "sgd" | "adamw";
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly dropout?: number;
  readonly attentionDropout?: number;
  readonly labelSmoothing?: number;
  readonly numSteps?: number;
  readonly epochs?: number;
  readonly decayType?: "cosine" | "linear" | "constant";
  readonly warmupSteps?: number;
  readonly maxGradNorm?: number;
  readonly evalEvery?: number;
  readonly seed: number;
  readonly fp16?: boolean;
  readonly recompute?: boolean;
  readonly trackNc?: boolean;
  readonly recipe?: RecipeName;
  readonly out?: string;
  readonly resume?: string;
  readonly ood?: readonly string[];
}

/** Keeps the entries that are given. */
function given<T extends object>(changes: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  const entries = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>; // the entries of T that are not undefined
}

/**
 * The recipe that the options ask for.
 * @throws UsageError if it makes no sense, or asks for what there is not.
 */
export function recipeOf(
  options: TrainCommandOptions,
  dataset: Pick<ImageDataset, "name" | "channels">,
  trainCount: number,
): Recipe {
  if (options.numSteps !== undefined && options.epochs !== undefined)
    throw new UsageError("--num-steps and --epochs exclude each other: give one");
  const name = options.recipe ?? (options.pretrained === undefined ? "scratch" : "reference");
  const changes = given<Recipe & { epochs: number }>({
    optimizer: options.optimizer,
    learningRate: options.learningRate,
    weightDecay: options.weightDecay,
    batchSize: options.batchSize,
    accumulate: options.accumulate,
    labelSmoothing: options.labelSmoothing,
    steps: options.numSteps,
    epochs: options.epochs,
    decay: options.decayType,
    warmupSteps: options.warmupSteps,
    maxGradNorm: options.maxGradNorm,
    precision: options.fp16 === true ? "f16" : undefined,
    recompute: options.recompute,
    momentum: undefined,
    augmentation: name === "scratch" ? suitedAugmentation(dataset) : undefined,
  });
  const recipe = checkRecipe(fillRecipe(name, changes, trainCount));
  if (recipe.batchSize > trainCount)
    throw new UsageError(
      `--batch-size ${recipe.batchSize} is larger than the training set (${trainCount} images): choose a smaller one`,
    );
  return recipe;
}

/** The options with the data set and model that the recipe brings along, where it does. */
export function withRecipeDefaults(options: TrainCommandOptions): TrainCommandOptions {
  if (options.recipe === undefined || options.dataset !== undefined) return options;
  const { dataset, model }: NamedRecipe = RECIPES[options.recipe];
  return {
    ...options,
    ...(dataset === undefined ? {} : { dataset }),
    ...(model === undefined || options.model !== undefined ? {} : { model }),
  };
}

/** The size that suits a data set when --model is absent. */
const defaultModel = ({ height }: Pick<ImageDataset, "height">): string =>
  height <= 28 ? "vit-micro-28" : height <= 64 ? "vit-tiny-32" : "ViT-S_16";

/**
 * The model that the options ask for, fit for the data set.
 * @throws UsageError if sizes do not fit each other.
 */
export function modelOf(options: TrainCommandOptions, dataset: ImageDataset): ViTConfig {
  const { channels, classes, height } = dataset;
  const name = options.model ?? defaultModel(dataset);
  const own = vitConfig(name, { classes: classes.length });
  const isPretrained = options.pretrained !== undefined;
  return vitConfig(name, {
    classes: classes.length,
    channels: isPretrained ? own.channels : channels,
    imageSize: options.imgSize ?? (isPretrained || height > own.imageSize ? own.imageSize : height),
    dropout: options.dropout ?? (isPretrained ? 0.1 : 0),
    attentionDropout: options.attentionDropout ?? 0,
  });
}

/** Steps between evaluations: as told, else about ten times a run. */
export const evalEveryOf = ({ evalEvery }: TrainCommandOptions, { steps }: Recipe): number =>
  evalEvery ?? Math.max(1, Math.ceil(steps / 10));

/** Steps whose checkpoints are kept for neural-collapse curves: dense at first, then sparse. */
export function collapseSteps(steps: number, points = 14): number[] {
  const ratio = Math.log(steps) / (points - 1);
  const spaced = Array.from({ length: points }, (_, index) => Math.round(Math.exp(index * ratio)));
  return [...new Set([0, ...spaced])];
}
