/** What `neco train` and `neco demo` make of their options, before any adapter is opened. */
import { describe, expect, test } from "vitest";
import { presetFor, PRESETS } from "../../src/cli/presets.ts";
import { fillRecipe, RECIPES, recipeFrom, recipeJson, recipeNames } from "../../src/cli/recipes.ts";
import {
  collapseSteps,
  evalEveryOf,
  modelOf,
  recipeOf,
  withRecipeDefaults,
} from "../../src/cli/train-options.ts";
import { emptySplit, type ImageDataset } from "../../src/data/dataset.ts";
import {
  checkRecipe,
  REFERENCE_RECIPE,
  storedConfig,
  vitConfig,
  vitNames,
} from "../../src/vit/index.ts";

const digits: ImageDataset = {
  name: "digits",
  title: "digits",
  credit: "none",
  classes: ["0", "1", "2"],
  height: 28,
  width: 28,
  channels: 1,
  mean: [0.5],
  std: [0.5],
  splits: { train: emptySplit, val: emptySplit, test: emptySplit },
  hash: "",
};

describe("recipes", () => {
  test.each(recipeNames)("%s makes sense and survives its configuration file", (name) => {
    const recipe = checkRecipe(fillRecipe(name, {}, 6000));
    expect(recipeFrom(recipeJson(recipe))).toEqual(recipe);
  });
  test("scratch counts epochs; reference counts steps, as the reference does", () => {
    expect(fillRecipe("scratch", {}, 6400).steps).toBe(RECIPES.scratch.epochs * 100);
    expect(fillRecipe("reference", {}, 6400)).toEqual(REFERENCE_RECIPE);
    expect(fillRecipe("reference", { epochs: 2, batchSize: 64 }, 6400).steps).toBe(200);
  });
  test("warm-up never outlasts the run", () => {
    expect(fillRecipe("reference", { steps: 100 }, 6400).warmupSteps).toBe(100);
  });
});

const DATA = { name: "mnist-10k", channels: 1 } as const;

describe("options", () => {
  test("defaults depend on --pretrained", () => {
    expect(recipeOf({ seed: 1 }, DATA, 1000).optimizer).toBe("adamw");
    expect(recipeOf({ seed: 1, pretrained: "x.npz" }, DATA, 1000).optimizer).toBe("sgd");
  });
  test("digits move, clothes are mirrored, photographs do both", () => {
    const augmentation = (name: string, channels: 1 | 3) =>
      recipeOf({ seed: 1 }, { name, channels }, 1000).augmentation;
    expect(augmentation("mnist-10k:0-7", 1)).toEqual({ pad: 2, flip: false });
    expect(augmentation("fashion-mnist", 1)).toEqual({ pad: 0, flip: true });
    expect(augmentation("cifar10", 3)).toEqual({ pad: 4, flip: true });
  });
  test("given values win", () => {
    const recipe = recipeOf(
      { seed: 1, learningRate: 0.5, numSteps: 7, warmupSteps: 2 },
      DATA,
      1000,
    );
    expect(recipe).toMatchObject({ learningRate: 0.5, steps: 7, warmupSteps: 2 });
  });
  test("--fp16 asks for operands in f16, and a configuration file keeps it", () => {
    const recipe = recipeOf({ seed: 1, fp16: true }, DATA, 1000);
    expect(recipe.precision).toBe("f16");
    expect(recipeFrom(recipeJson(recipe)).precision).toBe("f16");
    expect(recipeOf({ seed: 1 }, DATA, 1000).precision).toBe("f32");
    expect(recipeFrom({}).precision).toBe("f32"); // as of runs from before there was a choice
  });
  test("--recompute is part of the recipe, and a configuration file keeps it", () => {
    const recipe = recipeOf({ seed: 1, recompute: true }, DATA, 1000);
    expect(recipe.recompute).toBe(true);
    expect(recipeFrom(recipeJson(recipe)).recompute).toBe(true);
    expect(recipeOf({ seed: 1 }, DATA, 1000).recompute).toBe(false);
    expect(recipeFrom({}).recompute).toBe(false);
  });
  test.each([
    [{ seed: 1, numSteps: 1, epochs: 1 }, /exclude each other/],
    [{ seed: 1, batchSize: 2000 }, /larger than the training set \(1000/],
    [{ seed: 1, batchSize: 10, accumulate: 3 }, /does not divide/],
  ])("%o is refused", (options, message) => {
    expect(() => recipeOf(options, DATA, 1000)).toThrow(message);
  });
  test("the collapse recipe brings its data and model, unless told", () => {
    expect(withRecipeDefaults({ seed: 1, recipe: "collapse" })).toMatchObject({
      dataset: "mnist-10k:0-7",
      model: "vit-nano-28",
    });
    const told = { seed: 1, recipe: "collapse", dataset: "cifar10" } as const;
    expect(withRecipeDefaults(told)).toEqual(told);
    expect(withRecipeDefaults({ seed: 1 })).toEqual({ seed: 1 });
  });
  test("the model fits the images", () => {
    expect(modelOf({ seed: 1 }, digits)).toMatchObject({
      name: "vit-micro-28",
      imageSize: 28,
      channels: 1,
      classes: 3,
    });
    const big = { ...digits, height: 500, width: 500, channels: 3 } as const;
    expect(modelOf({ seed: 1 }, big)).toMatchObject({ imageSize: 224, channels: 3 });
    expect(modelOf({ seed: 1, model: "vit-b_16", pretrained: "x" }, digits)).toMatchObject({
      imageSize: 224,
      channels: 3,
      dropout: 0.1,
      attentionDropout: 0, // as in the reference
    });
    expect(modelOf({ seed: 1, attentionDropout: 0.2 }, digits)).toMatchObject({
      dropout: 0,
      attentionDropout: 0.2,
    });
    expect(() => modelOf({ seed: 1, imgSize: 30 }, digits)).toThrow(/--img-size 35/);
  });
  test("evaluations and checkpoints along a run", () => {
    const recipe = { ...REFERENCE_RECIPE, steps: 995 };
    expect(evalEveryOf({ seed: 1 }, recipe)).toBe(100);
    expect(evalEveryOf({ seed: 1, evalEvery: 7 }, recipe)).toBe(7);
    const steps = collapseSteps(1000);
    expect([steps[0], steps[1], steps.at(-1)]).toEqual([0, 1, 1000]);
    expect(new Set(steps).size).toBe(steps.length);
  });
});

describe("models in files", () => {
  test("of versions without attention dropout had none", () => {
    const now = vitConfig("vit-nano-28", { attentionDropout: 0.3 });
    expect(storedConfig({ ...now })).toEqual(now);
    const before = Object.entries(now).filter(([name]) => name !== "attentionDropout");
    expect(storedConfig(Object.fromEntries(before))).toEqual({ ...now, attentionDropout: 0 });
  });
});

describe("presets", () => {
  test("from the measured rate, the slowest takes anything", () => {
    expect(presetFor(40).name).toBe("demo");
    expect(presetFor(6).name).toBe("demo-small");
    expect(presetFor(0).name).toBe("demo-small");
    expect(presetFor(20_000).name).toBe("demo-gpu");
  });
  test("name models that exist", () => {
    for (const { model } of PRESETS) expect(vitNames()).toContain(model);
  });
});
