/** The ViT layer's public face: models, training, weights, predictions. */
export { checkConfig, storedConfig, tokenCount, vitConfig, vitNames } from "./config.ts";
export type { ViTConfig } from "./config.ts";
export { ViT } from "./model.ts";
export type { EachBlock, ViTOutput, Weights } from "./model.ts";
export { checkRecipe, learningRateFactor, REFERENCE_RECIPE } from "./recipe.ts";
export type { Augmentation, CropRange, Decay, Precision, Recipe } from "./recipe.ts";
export { Predictor } from "./predict.ts";
export type { Evaluation, Prediction } from "./predict.ts";
export { imageTensor } from "./transform.ts";
export type { Transform } from "./transform.ts";
export { trainRun, transformOf } from "./train.ts";
export type { RunStore, TrainOptions, TrainProgress, TrainResult } from "./training.ts";
export { readCheckpoint, readModel } from "./checkpoint.ts";
export type { BestSoFar, CheckpointFiles, ResumePoint } from "./checkpoint.ts";
export { initialSource, initialValues, paramSpecs } from "./weights/init.ts";
export { loadWeights } from "./weights/load.ts";
export type {
  AdaptOptions,
  LoadedWeights,
  LoadReport,
  ParamValues,
  ValueSource,
} from "./weights/timm.ts";
