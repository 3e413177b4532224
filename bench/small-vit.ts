/** The small-ViT training step that every engine is measured on. */
import type { Engine, Tensor } from "../src/engine/index.ts";
import type { Precision } from "../src/vit/index.ts";
import type { TrainState } from "../src/vit/optimizer.ts";
import { stepInputs, vitBackward, vitStep } from "./vit-step.ts";
import type { StepInputs, StepMode, StepTensors, TrainingStep } from "./vit-step.ts";
import { SMALL_VIT, SMALL_VIT_BATCH } from "./workloads.ts";

/** Loss and gradients of the workload's batch, packed into the state's arenas. */
export const backward = (engine: Engine, state: TrainState, batch: StepTensors): Tensor =>
  vitBackward(engine, SMALL_VIT, state, batch);

/** The workload's batch and scalars, as a program takes them. */
export const smallViTInputs = (): StepInputs => stepInputs(SMALL_VIT, SMALL_VIT_BATCH);

/** The step with the workload's weights, its parameters fresh. */
export const smallViTStep = (
  engine: Engine,
  mode: StepMode,
  precision: Precision = "f32",
): TrainingStep =>
  vitStep(engine, { config: SMALL_VIT, batchSize: SMALL_VIT_BATCH, precision }, mode);
