/** What a training run takes, tells on the way, and gives. */
import type { ImageDataset } from "../data/dataset.ts";
import type { Engine } from "../engine/index.ts";
import type { MetricRow } from "../report/index.ts";
import type { BestSoFar, CheckpointFiles, ResumePoint } from "./checkpoint.ts";
import type { ViTConfig } from "./config.ts";
import type { Evaluation } from "./predict.ts";
import type { Recipe } from "./recipe.ts";
import type { ParamValues } from "./weights/timm.ts";

/** Where a run keeps its files; the CLI gives folders, the page memory. */
export interface RunStore {
  /** Writes both files or none. */
  saveCheckpoint(files: CheckpointFiles, note: { readonly isBest: boolean }): Promise<void>;
  appendMetrics(row: MetricRow): Promise<void>;
}

/** How far a run is. */
export interface TrainProgress {
  readonly phase: "train" | "evaluate" | "checkpoint";
  readonly step: number;
  readonly steps: number;
  /** Means since the last report. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
  readonly etaSeconds: number;
  /** The last result on the validation split. */
  readonly validation: Evaluation | null;
}

/** Everything that a run needs. */
export interface TrainOptions {
  readonly engine: Engine;
  readonly dataset: ImageDataset;
  readonly config: ViTConfig;
  readonly recipe: Recipe;
  /** Normalisation of the run; by default the data set's own. */
  readonly normalisation?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Values to start from: fresh ones, or pretrained. */
  readonly initial: ParamValues;
  readonly seed: number;
  /** Updates between evaluations (and checkpoints). */
  readonly evalEvery: number;
  /** Updates at which a checkpoint is kept besides, such as for neural-collapse curves. */
  readonly checkpointAt?: ReadonlySet<number>;
  /** Milliseconds after which a checkpoint is due whatever the step, for a killed run to resume. */
  readonly saveEvery?: number;
  readonly store: RunStore;
  readonly resume?: ResumePoint;
  /** Milliseconds; for rates and ETA only. */
  readonly now?: () => number;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Called after every update, and waited for: a page breathes here, and lends the GPU to others. */
  readonly onStep?: (step: number) => Promise<void>;
  /** Aborting checkpoints and stops. */
  readonly signal?: AbortSignal;
}

/** What a finished run says. */
export interface TrainResult {
  readonly steps: number;
  readonly best: BestSoFar | null;
  readonly validation: Evaluation | null;
  readonly test: Evaluation | null;
}
