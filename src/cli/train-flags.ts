/** The flags of `neco train`, as `--help` prints them. */
import type { Command } from "commander";
import { append, natural, nonNegative, numberIn, oneOf, positive } from "./options.ts";
import { RECIPES, recipeNames } from "./recipes.ts";

const EXAMPLES = `
Recipes:
${recipeNames.map((name) => `  ${name.padEnd(10)} ${RECIPES[name].about}`).join("\n")}

Examples:
  neco train --dataset mnist-10k:0-7 --out runs/digits
  neco train --dataset fashion-mnist --epochs 5 --model vit-tiny-28
  neco train --dataset cifar10 --pretrained ViT-B_16.npz --model ViT-B_16 --num-steps 1000
  neco train --recipe collapse --ood digits-8-9=mnist-10k:8-9 --out runs/collapse
  neco train --resume runs/digits`;

const share = numberIn({ min: 0, max: 1 });
const aboveZero = numberIn({ min: Number.MIN_VALUE });

function addModelFlags(command: Command): Command {
  return command
    .option("--dataset <name|folder>", "what to train on; NAME:0-7 for some of its classes")
    .option("--model <name>", "size of the ViT (default: one that suits the images)")
    .option("--pretrained <file>", "start from Google's .npz or timm's .safetensors")
    .option("--from-scratch", "random weights, even with --pretrained")
    .option("--img-size <n>", "side of the model's input in pixels", positive)
    .option("--dropout <p>", "share of activations dropped in training", share)
    .option("--attention-dropout <p>", "share of attention weights dropped", share);
}

function addRecipeFlags(command: Command): Command {
  return command
    .option("--recipe <name>", "where the settings below start from", oneOf(...recipeNames))
    .option("--optimizer <name>", "sgd or adamw", oneOf("sgd", "adamw"))
    .option("--batch-size <n>", "images of one update", positive)
    .option("--accumulate <n>", "micro-batches that an update is split into", positive)
    .option("--learning-rate <x>", "its peak", aboveZero)
    .option("--weight-decay <x>", "of matrices", nonNegative)
    .option("--label-smoothing <x>", "share of the target spread over all classes", share)
    .option("--num-steps <n>", "updates", positive)
    .option("--epochs <n>", "passes over the training set instead of --num-steps", aboveZero)
    .option(
      "--decay-type <name>",
      "cosine, linear or constant",
      oneOf("cosine", "linear", "constant"),
    )
    .option("--warmup-steps <n>", "updates of linear warm-up", natural)
    .option("--max-grad-norm <x>", "gradients are scaled down to it; 0 turns it off", nonNegative);
}

/** Adds description, options and examples of `neco train`. */
export function addTrainOptions(command: Command): Command {
  const described = command.description(
    "fine-tune a Vision Transformer or train one from scratch, with checkpoints that resume",
  );
  return addRecipeFlags(addModelFlags(described))
    .option("--eval-every <n>", "updates between evaluations on ID validation", positive)
    .option("--seed <n>", "of weights, order and augmentation", natural, 42)
    .option(
      "--fp16",
      "operands of products in half precision, with a scaled loss (needs shader-f16)",
    )
    .option(
      "--recompute",
      "make activations again for the backward pass: less GPU memory, a few % more time",
    )
    .option("--track-nc", "keep checkpoints along the run and measure neural collapse on them")
    .option(
      "--ood <name>",
      "OOD set for --track-nc's NC5, repeatable: NAME or NAME=DATASET",
      append,
    )
    .option("--out <folder>", "the run's folder (default: runs/DATASET)")
    .option("--resume <folder>", "go on with the run in this folder")
    .addHelpText("after", EXAMPLES);
}
