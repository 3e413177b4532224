/** Out-of-distribution scores, their metrics, neural collapse and detectors, on any model's features. */
export { principalAxes } from "./cloud.ts";
export type { AxisPoints, PrincipalAxes } from "./cloud.ts";
export { createDetector, Detector } from "./detector.ts";
export type { DetectorInput, DetectorLoadOptions, FeatureModel, Judgement } from "./detector.ts";
export type { DetectorSpec } from "./detectorFile.ts";
export { sweepDims, sweepGrid } from "./dsweep.ts";
export type { SweepCurves, SweepInput, SweepJson } from "./dsweep.ts";
export { evaluateOod } from "./evaluate.ts";
export type { EvaluateInput, Evaluation, OodJson, OodSet } from "./evaluate.ts";
export type { IdResult } from "./idResult.ts";
export type { MethodResult, OodGroup, SelectiveRisk, SetResult } from "./methodResult.ts";
export { fitScores } from "./fit.ts";
export type { FitInput, FitResult, FittedScore } from "./fit.ts";
export type { EachBlock, ImageModel, ImageOutputs } from "./imageModel.ts";
export { ImageProgram } from "./imageProgram.ts";
export { inputGradient } from "./inputGradient.ts";
export type { InputGradient } from "./inputGradient.ts";
export * from "./metrics/index.ts";
export { trainStatistics } from "./moments.ts";
export type { ClassMeans, TrainStatistics } from "./moments.ts";
export { neuralCollapse } from "./nc.ts";
export type { Nc2, NcInput, NcJson, NcMetrics } from "./nc.ts";
export { defaultOptions, scoreOptions } from "./options.ts";
export type {
  MethodParams,
  NecoDim,
  NecoMode,
  ParamValue,
  Preset,
  ScoreOptions,
} from "./options.ts";
export type { Parameter, Parameters } from "./parameters.ts";
export { chooseScores, findScore, scores } from "./registry.ts";
export type {
  Calibration,
  FitContext,
  NamedArray,
  Need,
  Params,
  Score,
  Scorer,
  ScoreState,
} from "./score.ts";
export { Block } from "./block.ts";
export { searchParameters } from "./search.ts";
export type { SearchInput } from "./search.ts";
export type { CacheEntry, ScoreCache } from "./scoreCache.ts";
export { scoreSource } from "./scoreSource.ts";
export type { Progress, ScoreInput, SourceScores } from "./scoreSource.ts";
