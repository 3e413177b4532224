/** Optimizer steps over flat arenas of parameters, one dispatch each, in place. */
import { adamw as adamwShader } from "../../shaders/adamw.wgsl.ts";
import { sgdMomentum as sgdMomentumShader } from "../../shaders/sgdMomentum.wgsl.ts";
import { arenaVariants, checkArenas, checkScalars } from "./arena.ts";
import { canSkip, checkGradScale } from "./lossScale.ts";
import { defineOp } from "./op.ts";
import { f, reads, uniforms, writes } from "./pass.ts";

interface SgdAttrs {
  readonly momentum: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  [name: string]: unknown;
}

/**
 * SGD with momentum as torch has it: v ← m·v + g', p ← p − lr·v with g' = gradScale·g + wd·mask·p;
 * Nesterov: p ← p − lr·(g' + m·v). learningRate [1] and gradScale [1] are step scalars; decayMask
 * multiplies the decay element by element (all 1 if absent). As the state of lossScale, [4],
 * gradScale may skip the update.
 */
export const sgdMomentum = defineOp({
  name: "sgdMomentum",
  inputs: ["param", "grad", "velocity", "learningRate", "gradScale", "decayMask?"],
  outputs: [],
  mutates: [0, 2],
  defaults: { momentum: 0.9, weightDecay: 0, nesterov: false },
  infer(inputs) {
    checkArenas("sgdMomentum", inputs, { param: 0, grad: 1, velocity: 2, decayMask: 5 });
    checkScalars("sgdMomentum", inputs, { learningRate: [3, 1] });
    checkGradScale("sgdMomentum", inputs, 4);
    return [];
  },
  variants: arenaVariants<SgdAttrs>("sgdMomentum", {
    code: (options, inputs, { nesterov }) =>
      sgdMomentumShader({
        ...options,
        isNesterov: nesterov,
        hasMask: Boolean(inputs[5]),
        canSkip: canSkip(inputs, 4),
      }),
    bindings: (inputs) => [
      ...writes("in0"),
      ...reads("in1"),
      ...writes("in2"),
      ...uniforms("in3"),
      ...reads("in4"),
      ...(inputs[5] ? reads("in5") : []),
    ],
    params: ({ momentum, weightDecay }) => [f(momentum), f(weightDecay)],
    flops: 6,
    floats: 5,
  }),
  grad: null, // a statement, not a value
});

interface AdamAttrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  [name: string]: unknown;
}

/** ln β, finite for β = 0 too (shaders know no infinity); its powers are 0 all the same. */
const logOf = (beta: number): number => Math.max(Math.log(beta), -1000);

/**
 * AdamW with decoupled decay, as torch has it. `step` [1] f32 counts from 1 and is, like
 * learningRate [1] and gradScale [1], a step scalar; decayMask as in sgdMomentum. As the state of
 * lossScale, [4], gradScale may skip the update, and skipped ones do not count as steps.
 */
export const adamw = defineOp({
  name: "adamw",
  inputs: ["param", "grad", "m", "v", "learningRate", "step", "gradScale", "decayMask?"],
  outputs: [],
  mutates: [0, 2, 3],
  defaults: { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 },
  infer(inputs) {
    checkArenas("adamw", inputs, { param: 0, grad: 1, m: 2, v: 3, decayMask: 7 });
    checkScalars("adamw", inputs, { learningRate: [4, 1], step: [5, 1] });
    checkGradScale("adamw", inputs, 6);
    return [];
  },
  variants: arenaVariants<AdamAttrs>("adamw", {
    code: (options, inputs) =>
      adamwShader({ ...options, hasMask: Boolean(inputs[7]), canSkip: canSkip(inputs, 6) }),
    bindings: (inputs) => [
      ...writes("in0"),
      ...reads("in1"),
      ...writes("in2", "in3"),
      ...uniforms("in4", "in5"),
      ...reads("in6"),
      ...(inputs[7] ? reads("in7") : []),
    ],
    // 1 − β and log β are taken in float64: in f32 the error of 1 − 0.999 is 1e-5 of it.
    params: ({ beta1, beta2, eps, weightDecay }) => [
      ...[beta1, 1 - beta1, logOf(beta1), logOf(beta2)].map(f),
      ...[beta2, 1 - beta2, eps, weightDecay].map(f),
    ],
    flops: 16,
    floats: 7,
  }),
  grad: null, // a statement, not a value
});
