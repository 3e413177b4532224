/** The small-ViT training step through src/vit, eager or as a program: what Shows and bench time. */
import { ParamSet, program, valueAndGrad } from "../src/engine/index.ts";
import type { Engine, PassTime, ProgramStats, Tensor } from "../src/engine/index.ts";
import { ViT } from "../src/vit/index.ts";
import type { Recipe } from "../src/vit/index.ts";
import { applyUpdate, createTrainState } from "../src/vit/optimizer.ts";
import type { TrainState } from "../src/vit/optimizer.ts";
import { REFERENCE_RECIPE } from "../src/vit/recipe.ts";
import {
  SMALL_VIT,
  SMALL_VIT_BATCH,
  SMALL_VIT_LEARNING_RATE,
  workloadBatch,
  workloadParams,
} from "./workloads.ts";

/** Plain SGD, as the shared workload asks for. */
const RECIPE: Recipe = {
  ...REFERENCE_RECIPE,
  learningRate: SMALL_VIT_LEARNING_RATE,
  momentum: 0,
  maxGradNorm: 0,
  batchSize: SMALL_VIT_BATCH,
};

/** A training step that returns its loss as a tensor. */
export interface SmallViTStep {
  readonly state: TrainState;
  /** Runs the step; the loss is [] and may be read when wanted. */
  readonly run: () => Promise<Tensor>;
  /** Counts of the program; null in eager mode. */
  readonly stats: () => ProgramStats | null;
  /** Time of every pass of the program. */
  readonly profile: () => Promise<PassTime[]>;
}

interface StepTensors {
  readonly patches: Tensor;
  readonly labels: Tensor;
  readonly validRows: Tensor;
  readonly learningRate: Tensor;
  readonly step: Tensor;
}

/** Loss and gradients of the workload's batch, packed into the state's arenas. */
export function backward(engine: Engine, state: TrainState, batch: StepTensors): Tensor {
  const { ops } = engine;
  const { value: loss, grads } = valueAndGrad(engine, state.params.tensors, () => {
    const { logits } = new ViT(ops, SMALL_VIT, state.params).encode(batch.patches);
    return ops.crossEntropy(logits, batch.labels, batch.validRows);
  });
  state.params.pack(grads, state.grads);
  return loss;
}

function step(engine: Engine, state: TrainState, batch: StepTensors): Tensor {
  const loss = backward(engine, state, batch);
  applyUpdate(engine, state, RECIPE, batch);
  return loss;
}

/** Host values of a step's inputs. */
interface StepInputs {
  readonly patches: { readonly values: Float32Array; readonly shape: readonly number[] };
  readonly labels: Int32Array;
  readonly validRows: Uint32Array;
  readonly learningRate: Float32Array;
  readonly step: Float32Array;
}

/** The workload's batch and scalars, as a program takes them. */
export const smallViTInputs = (): StepInputs => {
  const { patches, shape, labels } = workloadBatch(SMALL_VIT, SMALL_VIT_BATCH);
  return {
    patches: { values: patches, shape },
    labels,
    validRows: new Uint32Array([SMALL_VIT_BATCH]),
    learningRate: new Float32Array([SMALL_VIT_LEARNING_RATE]),
    step: new Float32Array([1]),
  };
};

/** The step with the workload's weights, its parameters fresh. */
export function smallViTStep(engine: Engine, mode: "eager" | "program"): SmallViTStep {
  const state = createTrainState(engine, new ParamSet(engine, workloadParams(SMALL_VIT)), RECIPE);
  const inputs = smallViTInputs();
  if (mode === "program") {
    const replayed = program(engine, (tensors: StepTensors) => step(engine, state, tensors));
    return {
      state,
      run: () => replayed.run({ ...inputs }),
      stats: () => replayed.stats,
      profile: () => replayed.profile(),
    };
  }
  const batch: StepTensors = {
    patches: engine.tensor(inputs.patches.values, inputs.patches.shape),
    labels: engine.tensor(inputs.labels),
    validRows: engine.tensor(inputs.validRows),
    learningRate: engine.tensor(inputs.learningRate),
    step: engine.tensor(inputs.step),
  };
  return {
    state,
    run: () => Promise.resolve(engine.scope(() => step(engine, state, batch))),
    stats: () => null,
    profile: () => Promise.resolve([]),
  };
}
