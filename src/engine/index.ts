/** The engine layer's public face. Timing and tuning (profile.ts, tuner.ts) stay out of pages. */
export { Engine } from "./engine.ts";
export { createEngine } from "./open.ts";
export type { EngineOptions } from "./open.ts";
export { needHalf } from "./device.ts";
export type { AdapterSummary } from "./device.ts";
export { Tensor } from "./tensor.ts";
export type { HostArray } from "./tensor.ts";
export type { Ops } from "./ops.ts";
export { valueAndGrad } from "./autograd.ts";
export type { LossResult } from "./autograd.ts";
export { program } from "./program.ts";
export type { Program, ProgramInput, ProgramInputs, InputTensors } from "./program.ts";
export type { ProgramOptions } from "./optimise.ts";
export type { ProgramStats } from "./replay.ts";
export { ParamSet } from "./params.ts";
export type { ParamSpec } from "./params.ts";
export type { PassTime } from "./profile.ts";
export type { Picks } from "../kernels/picks.ts";
