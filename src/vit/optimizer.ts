/** Updates all parameters in a few dispatches: clipping, SGD with momentum, AdamW. */
import type { Engine, ParamSet, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import type { Recipe } from "./recipe.ts";

/** AdamW's decay rates and the term that keeps its divisor away from 0 (Loshchilov & Hutter). */
const ADAMW = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** What training changes from step to step, all on the GPU. */
export interface TrainState {
  readonly params: ParamSet;
  /** Gradient arenas; with accumulation, the mean over the micro-batches so far. */
  readonly grads: readonly Tensor[];
  /** Velocity (SGD), or first and second moments (AdamW), as arenas. */
  readonly moments: readonly (readonly Tensor[])[];
  /** Where AdamW decays, as arenas; null for SGD, which decays everywhere, as the reference does. */
  readonly decayMask: readonly Tensor[] | null;
  /** Sum of losses and of correct predictions since the host last read them. [2] */
  readonly tally: Tensor;
  /** State of dynamic loss scaling, see the op lossScale; null in f32. [4] */
  readonly lossScale: Tensor | null;
}

/** What the loss is multiplied by at first; PyTorch's GradScaler starts there too. */
const FIRST_SCALE = 2 ** 16;

/** Zeroed state beside the parameters. */
export function createTrainState(engine: Engine, params: ParamSet, recipe: Recipe): TrainState {
  const isAdam = recipe.optimizer === "adamw";
  return {
    params,
    grads: params.zeros(),
    moments: Array.from({ length: isAdam ? 2 : 1 }, () => params.zeros()),
    decayMask: isAdam ? params.decayMask() : null,
    tally: engine.zeros([2]),
    lossScale:
      recipe.precision === "f16" ? engine.tensor(Float32Array.of(0, 0, FIRST_SCALE, 0)) : null,
  };
}

/** The factor in the state of a loss scale. [1] */
const scaleOf = (engine: Engine, lossScale: Tensor): Tensor =>
  engine.ops.slice(lossScale, { start: 2, end: 3 });

/** The loss that is differentiated: multiplied by the scale where there is one. */
export const scaledLoss = (engine: Engine, { lossScale }: TrainState, loss: Tensor): Tensor =>
  lossScale === null ? loss : engine.ops.mul(loss, scaleOf(engine, lossScale));

/** The true norm of gradients, which are those of the scaled loss. [1] */
function normOf(engine: Engine, { lossScale }: TrainState, squared: Tensor): Tensor {
  const norm = engine.ops.sqrt(squared);
  return lossScale === null ? norm : engine.ops.div(norm, scaleOf(engine, lossScale));
}

/** What optimizers multiply gradients by: clipping, and undoing the loss's scale or skipping. */
function gradScaleOf(
  engine: Engine,
  { lossScale }: TrainState,
  squared: Tensor,
  maxNorm: number,
): Tensor {
  const { ops } = engine;
  if (lossScale !== null) {
    ops.lossScale(lossScale, squared, { maxNorm });
    return lossScale;
  }
  return maxNorm > 0 ? ops.clipScale(squared, { maxNorm }) : engine.tensor(new Float32Array([1]));
}

/** Step scalars of an update, as uniforms. */
export interface UpdateScalars {
  /** [1] */
  readonly learningRate: Tensor;
  /** Number of this update, from 1. [1] */
  readonly step: Tensor;
}

/**
 * params ← params − update(grads), after scaling the gradients to at most `maxGradNorm`; nothing
 * where a scaled loss overflowed. Returns the global norm before clipping. [1]
 */
export function applyUpdate(
  engine: Engine,
  state: TrainState,
  recipe: Recipe,
  { learningRate, step }: UpdateScalars,
): Tensor {
  const { ops } = engine;
  const { params, grads, moments, decayMask } = state;
  const squared = grads
    .map((arena) => ops.squaredNorm(arena)) // [1] per arena
    .reduce((total, part) => ops.add(total, part));
  const norm = normOf(engine, state, squared); // by the scale that made these gradients
  const gradScale = gradScaleOf(engine, state, squared, recipe.maxGradNorm);
  params.arenas.forEach((arena, index) => {
    const grad = at(grads, index);
    const first = at(at(moments, 0), index);
    if (recipe.optimizer === "sgd") {
      const { momentum, weightDecay } = recipe;
      ops.sgdMomentum(arena, grad, first, learningRate, gradScale, null, { momentum, weightDecay });
      return;
    }
    const second = at(at(moments, 1), index);
    const mask = decayMask === null ? null : at(decayMask, index);
    ops.adamw(arena, grad, first, second, learningRate, step, gradScale, mask, {
      ...ADAMW,
      weightDecay: recipe.weightDecay,
    });
  });
  return norm;
}
