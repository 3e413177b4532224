/** A training step of the workloads' ViTs through src/vit: eager, or as a program of several kinds. */
import { ParamSet, program, valueAndGrad } from "../src/engine/index.ts";
import type {
  Engine,
  PassTime,
  ProgramOptions,
  ProgramStats,
  Tensor,
} from "../src/engine/index.ts";
import { ViT } from "../src/vit/index.ts";
import type { Precision, Recipe, ViTConfig } from "../src/vit/index.ts";
import { applyUpdate, createTrainState, scaledLoss } from "../src/vit/optimizer.ts";
import type { TrainState } from "../src/vit/optimizer.ts";
import { REFERENCE_RECIPE } from "../src/vit/recipe.ts";
import { SMALL_VIT_LEARNING_RATE, workloadBatch, workloadParams } from "./workloads.ts";

/** How work runs when it is recorded: as programs do unless told, or without one thing that they do. */
export const PROGRAM_MODES = {
  program: {},
  /** The ops' own passes. */
  unfused: { fuse: false },
  /** Every value in memory of its own. */
  unplanned: { reuse: false },
  /** Less memory for more passes. */
  recompute: { recompute: true },
} as const satisfies Readonly<Record<string, ProgramOptions>>;

/** How a step runs: op by op, or recorded. */
export type StepMode = "eager" | keyof typeof PROGRAM_MODES;

/** A training step that returns its loss as a tensor. */
export interface TrainingStep {
  readonly state: TrainState;
  /** Runs the step; the loss is [] and may be read when wanted. */
  readonly run: () => Promise<Tensor>;
  /** Counts of the program; null in eager mode. */
  readonly stats: () => ProgramStats | null;
  /** Time of every pass of the program. */
  readonly profile: () => Promise<PassTime[]>;
}

/** What a step reads, as tensors. */
export interface StepTensors {
  readonly patches: Tensor;
  readonly labels: Tensor;
  readonly validRows: Tensor;
  readonly learningRate: Tensor;
  readonly step: Tensor;
}

/** Host values of a step's inputs. */
export interface StepInputs {
  readonly patches: { readonly values: Float32Array; readonly shape: readonly number[] };
  readonly labels: Int32Array;
  readonly validRows: Uint32Array;
  readonly learningRate: Float32Array;
  readonly step: Float32Array;
}

/** Loss and gradients (of the scaled loss) of a batch, packed into the state's arenas. */
export function vitBackward(
  engine: Engine,
  config: ViTConfig,
  state: TrainState,
  batch: StepTensors,
): Tensor {
  const { ops } = engine;
  const { value, grads } = valueAndGrad(engine, state.params.tensors, () => {
    const precision = state.lossScale ? "f16" : "f32";
    const { logits } = new ViT(ops, config, state.params, { precision }).encode(batch.patches);
    const mean = ops.crossEntropy(logits, batch.labels, batch.validRows);
    return { loss: scaledLoss(engine, state, mean), mean };
  });
  state.params.pack(grads, state.grads);
  return value.mean;
}

/** The workload's batch and scalars, as a program takes them. */
export function stepInputs(config: ViTConfig, batchSize: number): StepInputs {
  const { patches, shape, labels } = workloadBatch(config, batchSize);
  return {
    patches: { values: patches, shape },
    labels,
    validRows: new Uint32Array([batchSize]),
    learningRate: new Float32Array([SMALL_VIT_LEARNING_RATE]),
    step: new Float32Array([1]),
  };
}

/** What a step trains, on how large a batch. */
export interface StepModel {
  readonly config: ViTConfig;
  readonly batchSize: number;
  readonly precision?: Precision;
}

/** A step of plain SGD, as the shared workload asks for, from the workload's weights. */
export function vitStep(
  engine: Engine,
  { config, batchSize, precision = "f32" }: StepModel,
  mode: StepMode,
): TrainingStep {
  const recipe: Recipe = {
    ...REFERENCE_RECIPE,
    learningRate: SMALL_VIT_LEARNING_RATE,
    momentum: 0,
    maxGradNorm: 0,
    batchSize,
    precision,
  };
  const state = createTrainState(engine, new ParamSet(engine, workloadParams(config)), recipe);
  const inputs = stepInputs(config, batchSize);
  const step = (batch: StepTensors): Tensor => {
    const loss = vitBackward(engine, config, state, batch);
    applyUpdate(engine, state, recipe, batch);
    return loss;
  };
  if (mode !== "eager") {
    const replayed = program(engine, step, PROGRAM_MODES[mode]);
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
    run: () => Promise.resolve(engine.scope(() => step(batch))),
    stats: () => null,
    profile: () => Promise.resolve([]),
  };
}
