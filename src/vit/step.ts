/** The programs of training: one micro-batch (forward, backward) and one update. */
import { program, valueAndGrad } from "../engine/index.ts";
import type { Engine, ProgramInputs, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import type { ViTConfig } from "./config.ts";
import { ViT } from "./model.ts";
import { applyUpdate, scaledLoss } from "./optimizer.ts";
import type { TrainState, UpdateScalars } from "./optimizer.ts";
import type { Recipe } from "./recipe.ts";
import { imageTensor } from "./transform.ts";
import type { Transform } from "./transform.ts";

/** Inputs of a micro-batch. */
export interface BatchTensors {
  /** Bytes of [B, H, W, C], four to a word. */
  readonly pixels: Tensor;
  /** [B] i32 */
  readonly labels: Tensor;
  /** Rows that count; the rest is padding. [1] u32 */
  readonly validRows: Tensor;
  /** Seed and step of the random draws. [4] u32 */
  readonly key: Tensor;
}

/** Everything a step is made for. */
export interface StepSpec {
  readonly config: ViTConfig;
  readonly recipe: Recipe;
  readonly transform: Transform;
}

/** Loss and gradients (of the scaled loss) of one micro-batch, in eager mode or inside a program. */
export function lossAndGrads(
  engine: Engine,
  state: TrainState,
  { config, recipe, transform }: StepSpec,
  { pixels, labels, validRows, key }: BatchTensors,
): { loss: Tensor; correct: Tensor; grads: Tensor[] } {
  const { ops } = engine;
  const { value, grads } = valueAndGrad(engine, state.params.tensors, () => {
    const images = imageTensor(ops, transform, { pixels, key, count: labels.shape[0] ?? 0 });
    const { labelSmoothing, precision } = recipe;
    const { logits } = new ViT(ops, config, state.params, { key, precision }).forward(images);
    const mean = ops.crossEntropy(logits, labels, validRows, { labelSmoothing });
    const correct = ops.correctCount(logits, labels, validRows);
    return { loss: scaledLoss(engine, state, mean), mean, correct };
  });
  return { loss: value.mean, correct: value.correct, grads };
}

/** Adds loss and hits to the running tally, which the host reads now and then. */
function tally(engine: Engine, state: TrainState, loss: Tensor, correct: Tensor): void {
  const { ops } = engine;
  const one = { shape: [1] };
  const both = ops.concat(ops.reshape(loss, one), ops.reshape(correct, one), { axis: 0 });
  ops.addInPlace(state.tally, both);
}

/** Outputs of an update that the host may look at. */
export interface StepOutputs {
  readonly gradNorm: Tensor;
}

/** Host values of a micro-batch. */
export type BatchInputs = ProgramInputs<keyof BatchTensors>;

/** Runs one update on the micro-batches that it is given. */
export interface Stepper {
  /** One entry of `batches` per micro-batch. */
  step(
    batches: readonly BatchInputs[],
    scalars: ProgramInputs<keyof UpdateScalars>,
  ): Promise<StepOutputs>;
  dispose(): void;
}

/** One program when an update is one batch; two that share state when it accumulates. */
export function createStepper(engine: Engine, state: TrainState, spec: StepSpec): Stepper {
  return spec.recipe.accumulate === 1
    ? wholeStep(engine, state, spec)
    : accumulatedStep(engine, state, spec);
}

function wholeStep(engine: Engine, state: TrainState, spec: StepSpec): Stepper {
  const { recompute } = spec.recipe;
  const body = (tensors: BatchTensors & UpdateScalars): StepOutputs => {
    const { loss, correct, grads } = lossAndGrads(engine, state, spec, tensors);
    state.params.pack(grads, state.grads);
    tally(engine, state, loss, correct);
    return { gradNorm: applyUpdate(engine, state, spec.recipe, tensors) };
  };
  const whole = program(engine, body, { recompute });
  return {
    step: (batches, scalars) => whole.run({ ...at(batches, 0), ...scalars }),
    dispose: () => {
      whole.dispose();
    },
  };
}

function accumulatedStep(engine: Engine, state: TrainState, spec: StepSpec): Stepper {
  const { ops } = engine;
  const scratch = state.params.zeros();
  const { accumulate, recompute } = spec.recipe;
  const addMicroBatch = (tensors: BatchTensors): void => {
    const { loss, correct, grads } = lossAndGrads(engine, state, spec, tensors);
    state.params.pack(grads, scratch);
    state.grads.forEach((arena, index) => {
      ops.addInPlace(arena, at(scratch, index), { scale: 1 / accumulate });
    });
    tally(engine, state, ops.affine(loss, { scale: 1 / accumulate }), correct);
  };
  const micro = program(engine, addMicroBatch, { recompute });
  const update = program(engine, (scalars: UpdateScalars): StepOutputs => {
    const gradNorm = applyUpdate(engine, state, spec.recipe, scalars);
    for (const arena of state.grads) ops.fill(arena, { value: 0 });
    return { gradNorm };
  });
  return {
    async step(batches, scalars) {
      for (const batch of batches) await micro.run(batch);
      return update.run(scalars);
    },
    dispose: () => {
      micro.dispose();
      update.dispose();
      for (const arena of scratch) arena.dispose();
    },
  };
}
