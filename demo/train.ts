/** A training session of the page: `trainRun` with its checkpoints in memory, paused and resumed. */
import type { Engine } from "../src/engine/index.ts";
import type { MetricRow } from "../src/report/index.ts";
import { InterruptedError } from "../src/util/errors.ts";
import {
  initialValues,
  readCheckpoint,
  REFERENCE_RECIPE,
  trainRun,
  vitConfig,
} from "../src/vit/index.ts";
import type {
  CheckpointFiles,
  Recipe,
  RunStore,
  TrainProgress,
  TrainResult,
  ViTConfig,
} from "../src/vit/index.ts";
import type { Digits } from "./digits.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import { breathe } from "./turns.ts";
import type { Turns } from "./turns.ts";

/** What is trained, and for how long. */
export interface TrainSettings {
  /** A name that `vitConfig` knows. */
  readonly model: string;
  readonly steps: number;
  readonly batchSize: number;
  /** Updates between measurements of the model. */
  readonly measureEvery: number;
  readonly seed: number;
}

/** What a session tells the page. */
export interface SessionEvents {
  onStep(step: number): void;
  onProgress(progress: TrainProgress): void;
  onMetrics(row: MetricRow): void;
  onSnapshot(snapshot: Snapshot): void;
}

/** How a stretch of training ended. */
export type SessionEnd =
  { readonly state: "paused" } | { readonly state: "done"; readonly result: TrainResult };

/** AdamW from random weights, as `neco train --recipe scratch`. */
function recipeOf({ steps, batchSize }: TrainSettings): Recipe {
  return {
    ...REFERENCE_RECIPE,
    optimizer: "adamw",
    learningRate: 2e-3,
    weightDecay: 0.05,
    batchSize,
    steps,
    warmupSteps: Math.round(0.1 * steps),
    augmentation: { pad: 2, flip: false },
  };
}

/** One model in training. Pausing checkpoints it, so that going on gives the same bits. */
export class Session {
  private readonly engine: Engine;
  private readonly turns: Turns;
  private readonly digits: Digits;
  private readonly settings: TrainSettings;
  private readonly events: SessionEvents;
  private readonly config: ViTConfig;
  private checkpoint: CheckpointFiles | null = null;
  private stop = new AbortController();

  constructor(
    host: { engine: Engine; turns: Turns },
    digits: Digits,
    settings: TrainSettings,
    events: SessionEvents,
  ) {
    this.engine = host.engine;
    this.turns = host.turns;
    this.digits = digits;
    this.settings = settings;
    this.events = events;
    this.config = vitConfig(settings.model, { classes: digits.known.classes.length });
  }

  /**
   * Trains to the end, or until {@link Session.pause}; from where it was paused, if it was.
   * @throws NumericError when the loss is no longer finite.
   */
  async run(): Promise<SessionEnd> {
    this.stop = new AbortController();
    try {
      return { state: "done", result: await this.turns.run(() => this.train()) };
    } catch (error) {
      if (error instanceof InterruptedError) return { state: "paused" };
      throw error;
    }
  }

  /** Stops after the step under way, with a checkpoint. */
  pause(): void {
    this.stop.abort();
  }

  /** The newest checkpoint's weights, as safetensors in timm's names. */
  get weights(): Uint8Array | null {
    return this.checkpoint?.weights ?? null;
  }

  private async train(): Promise<TrainResult> {
    const { engine, turns, digits, config, settings, events, checkpoint } = this;
    const resume = checkpoint ? await readCheckpoint(checkpoint, "checkpoint") : null;
    return trainRun({
      engine,
      config,
      dataset: digits.known,
      recipe: recipeOf(settings),
      initial: initialValues(config, settings.seed),
      seed: settings.seed,
      evalEvery: settings.measureEvery,
      checkpointAt: new Set([0]), // the cloud of random weights, to see where it starts
      store: this.store(),
      signal: this.stop.signal,
      ...(resume ? { resume } : {}),
      onProgress: (progress) => {
        events.onProgress(progress);
      },
      onStep: async (step) => {
        await engine.finish(); // one step in flight: the page shares the GPU
        await turns.pass();
        await breathe();
        events.onStep(step);
      },
    });
  }

  private store(): RunStore {
    return {
      saveCheckpoint: async (files) => {
        this.checkpoint = files;
        this.events.onSnapshot(await takeSnapshot(this.engine, files.weights, this.digits));
      },
      appendMetrics: (row) => {
        this.events.onMetrics(row);
        return Promise.resolve();
      },
    };
  }
}
