/** Named recipes of `neco train`, and how recipes are written to and read from configuration files. */
import type { JsonRecord } from "../report/index.ts";
import { isRecord } from "../io/json.ts";
import type { ImageDataset } from "../data/dataset.ts";
import { REFERENCE_RECIPE, type Augmentation, type CropRange, type Recipe } from "../vit/index.ts";

/** A recipe by name; lengths in epochs suit any data set. */
export interface NamedRecipe {
  readonly about: string;
  readonly recipe: Partial<Recipe>;
  /** Passes over the training set, unless --num-steps or --epochs is given. */
  readonly epochs: number | null;
  /** Share of the steps that warm up. */
  readonly warmup: number | null;
  /** Checkpoints are kept for neural-collapse curves. */
  readonly trackNc: boolean;
  /** What is trained on, and how large a model, unless the options say so. */
  readonly dataset?: string;
  readonly model?: string;
}

/** The recipes. */
export const RECIPES = {
  scratch: {
    about:
      "AdamW from random weights, cosine decay, augmentation that suits the data (default without --pretrained)",
    recipe: {
      optimizer: "adamw",
      learningRate: 2e-3,
      weightDecay: 0.05,
      batchSize: 64,
      labelSmoothing: 0,
      augmentation: { pad: 0, flip: false },
    },
    epochs: 15,
    warmup: 0.1,
    trackNc: false,
  },
  reference: {
    about:
      "the reference's fine-tuning: SGD 0.9, 3e-2, cosine, batch 512 (default with --pretrained)",
    recipe: {},
    epochs: null,
    warmup: null,
    trackNc: false,
  },
  collapse: {
    about:
      "long training without augmentation into the terminal phase, checkpoints kept for NC curves",
    recipe: {
      optimizer: "adamw",
      learningRate: 2e-3,
      weightDecay: 0.1,
      batchSize: 64,
      augmentation: { pad: 0, flip: false },
    },
    epochs: 90,
    warmup: 0.05,
    trackNc: true,
    dataset: "mnist-10k:0-7",
    model: "vit-nano-28",
  },
} as const satisfies Readonly<Record<string, NamedRecipe>>;

/** Name of a recipe. */
export type RecipeName = keyof typeof RECIPES;

/** Names for `--recipe`. */
export const recipeNames = [
  "scratch",
  "reference",
  "collapse",
] as const satisfies readonly RecipeName[];

/** The recipe with everything filled in for a training set of that size. */
export function fillRecipe(
  name: RecipeName,
  given: Partial<Recipe> & { readonly epochs?: number },
  trainCount: number,
): Recipe {
  const named: NamedRecipe = RECIPES[name];
  const { epochs = named.epochs, ...changes } = given;
  const base: Recipe = { ...REFERENCE_RECIPE, ...named.recipe, ...changes };
  const perEpoch = Math.max(1, Math.floor(trainCount / base.batchSize));
  const steps =
    changes.steps ?? (epochs === null ? base.steps : Math.max(1, Math.round(epochs * perEpoch)));
  const warmup =
    named.warmup === null ? Math.min(base.warmupSteps, steps) : Math.round(named.warmup * steps);
  return { ...base, steps, warmupSteps: changes.warmupSteps ?? warmup };
}

/**
 * Random changes that keep an image's class: digits may move but not be mirrored, photographs may
 * do both, and grey pictures of things (Fashion-MNIST fills its frame) may be mirrored.
 */
export function suitedAugmentation({
  name,
  channels,
}: Pick<ImageDataset, "name" | "channels">): Augmentation {
  if (name.startsWith("mnist")) return { pad: 2, flip: false };
  return { pad: channels === 3 ? 4 : 0, flip: true };
}

const augmentationJson = ({ crop, ...rest }: Augmentation): JsonRecord =>
  crop === undefined ? rest : { ...rest, crop: { ...crop } };

/** A recipe as configuration files hold it. */
export const recipeJson = (recipe: Recipe): JsonRecord => ({
  ...recipe,
  augmentation: augmentationJson(recipe.augmentation),
});

const numberOf = (value: unknown, fallback: number): number =>
  typeof value === "number" ? value : fallback;

const cropFrom = (json: JsonRecord): CropRange => ({
  areaMin: numberOf(json["areaMin"], 1),
  areaMax: numberOf(json["areaMax"], 1),
  ratioMin: numberOf(json["ratioMin"], 1),
  ratioMax: numberOf(json["ratioMax"], 1),
});

/** The recipe that a configuration file holds; unknown values fall back to the reference's. */
export function recipeFrom(json: JsonRecord): Recipe {
  const base = REFERENCE_RECIPE;
  const { pad, flip, crop } = isRecord(json["augmentation"]) ? json["augmentation"] : {};
  const decay = (["cosine", "linear", "constant"] as const).find(
    (known) => known === json["decay"],
  );
  return {
    optimizer: json["optimizer"] === "adamw" ? "adamw" : "sgd",
    learningRate: numberOf(json["learningRate"], base.learningRate),
    momentum: numberOf(json["momentum"], base.momentum),
    weightDecay: numberOf(json["weightDecay"], base.weightDecay),
    batchSize: numberOf(json["batchSize"], base.batchSize),
    accumulate: numberOf(json["accumulate"], base.accumulate),
    steps: numberOf(json["steps"], base.steps),
    warmupSteps: numberOf(json["warmupSteps"], base.warmupSteps),
    decay: decay ?? base.decay,
    maxGradNorm: numberOf(json["maxGradNorm"], base.maxGradNorm),
    labelSmoothing: numberOf(json["labelSmoothing"], base.labelSmoothing),
    precision: json["precision"] === "f16" ? "f16" : "f32",
    recompute: json["recompute"] === true,
    augmentation: {
      pad: numberOf(pad, 0),
      flip: flip === true,
      ...(isRecord(crop) ? { crop: cropFrom(crop) } : {}),
    },
  };
}
