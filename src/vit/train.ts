/** The training loop: steps, evaluation on held-out data, checkpoints, a clean stop. */
import { ParamSet } from "../engine/index.ts";
import type { ImageDataset } from "../data/dataset.ts";
import { InterruptedError, NumericError } from "../util/errors.ts";
import { makeCheckpoint } from "./checkpoint.ts";
import type { BestSoFar } from "./checkpoint.ts";
import type { ViTConfig } from "./config.ts";
import { createTrainState } from "./optimizer.ts";
import type { TrainState } from "./optimizer.ts";
import { Predictor } from "./predict.ts";
import type { Evaluation } from "./predict.ts";
import { learningRateFactor } from "./recipe.ts";
import type { Recipe } from "./recipe.ts";
import { Sampler } from "./sampler.ts";
import { createStepper } from "./step.ts";
import type { Stepper } from "./step.ts";
import type { TrainOptions, TrainResult } from "./training.ts";
import type { Transform } from "./transform.ts";
import { paramSpecs } from "./weights/init.ts";

/** Updates between looks at the loss: often enough for a curve, rarely enough not to stall. */
const REPORT_EVERY = 10;

/** The transform of a run's images: the data set's geometry, the model's input size. */
export function transformOf(
  dataset: Pick<ImageDataset, "height" | "width" | "channels" | "mean" | "std">,
  config: ViTConfig,
  recipe: Pick<Recipe, "augmentation"> | null,
): Transform {
  const { height, width, channels, mean, std } = dataset;
  const augmentation = recipe?.augmentation ?? null;
  return { height, width, channels, imageSize: config.imageSize, mean, std, augmentation };
}

class Run {
  readonly state: TrainState;
  private readonly options: TrainOptions;
  private readonly stepper: Stepper;
  private readonly predictor: Predictor;
  private readonly sampler: Sampler;
  private readonly now: () => number;
  private best: BestSoFar | null;
  private validation: Evaluation | null = null;
  private reportedAt = 0;
  private savedAt = 0;
  private reportedStep: number;
  private readonly startedStep: number;
  private startedAt = 0;

  constructor(options: TrainOptions) {
    const { engine, dataset, config, recipe, resume, seed } = options;
    this.options = options;
    this.now = options.now ?? ((): number => performance.now());
    const params = new ParamSet(engine, paramSpecs(config, resume?.values ?? options.initial));
    this.state = createTrainState(engine, params, recipe);
    resume?.moments.forEach((moment, index) => {
      const arenas = this.state.moments[index];
      if (arenas) params.write(moment, arenas);
    });
    const { lossScale } = this.state;
    if (lossScale && resume?.lossScale)
      engine.write(lossScale, Float32Array.from(resume.lossScale));
    const source = { ...dataset, ...options.normalisation };
    const transform = transformOf(source, config, recipe);
    this.stepper = createStepper(engine, this.state, { config, recipe, transform });
    this.predictor = new Predictor(engine, { config, weights: params, transform });
    this.sampler = new Sampler(dataset.splits.train, seed);
    this.best = resume?.best ?? null;
    this.startedStep = resume?.step ?? 0;
    this.reportedStep = this.startedStep;
  }

  async run(): Promise<TrainResult> {
    const { recipe, dataset, checkpointAt } = this.options;
    this.startedAt = this.reportedAt = this.savedAt = this.now();
    if (this.startedStep === 0 && checkpointAt?.has(0)) await this.checkpoint(0);
    for (let step = this.startedStep + 1; step <= recipe.steps; step++) {
      await this.update(step);
      await this.afterUpdate(step, step === recipe.steps);
    }
    const { test } = dataset.splits;
    const result = test.count > 0 ? await this.predictor.evaluate(test) : null;
    if (result) await this.logEvaluation(recipe.steps, "test", result);
    return { steps: recipe.steps, best: this.best, validation: this.validation, test: result };
  }

  /** What is due between updates: a look at the loss, validation, a checkpoint, a stop. */
  private async afterUpdate(step: number, last: boolean): Promise<void> {
    const { evalEvery, checkpointAt, saveEvery = Infinity, signal, onStep } = this.options;
    await onStep?.(step);
    const isReported = step % REPORT_EVERY === 0 || last;
    if (isReported) await this.report(step);
    if (step % evalEvery === 0 || last) await this.evaluate(step);
    else if (checkpointAt?.has(step) || (isReported && this.now() - this.savedAt >= saveEvery))
      await this.checkpoint(step);
    if (!signal?.aborted || last) return;
    await this.checkpoint(step);
    throw new InterruptedError(`stopped at step ${step}; go on with --resume`);
  }

  private async update(step: number): Promise<void> {
    const { recipe } = this.options;
    const batches = await Promise.all(
      Array.from({ length: recipe.accumulate }, (_, k) => this.sampler.batch(step, k, recipe)),
    );
    await this.stepper.step(batches, {
      learningRate: new Float32Array([this.learningRate(step)]),
      step: new Float32Array([step]),
    });
  }

  private learningRate(step: number): number {
    const { recipe } = this.options;
    return recipe.learningRate * learningRateFactor(recipe, step);
  }

  /** Reads and clears the tally: the only readback of training. */
  private async report(step: number): Promise<void> {
    const { engine, recipe, store, onProgress } = this.options;
    const [lossSum = Number.NaN, hits = 0] = await this.state.tally.floats();
    engine.write(this.state.tally, new Float32Array(2));
    const updates = step - this.reportedStep;
    const loss = lossSum / updates;
    if (!Number.isFinite(loss))
      throw new NumericError(
        `the loss became ${loss} ${updates === 1 ? `at step ${step}` : `between steps ${this.reportedStep + 1} and ${step}`}; the last checkpoint is kept; try a smaller --learning-rate or a longer --warmup-steps`,
      );
    const now = this.now();
    const images = updates * recipe.batchSize;
    const imagesPerSecond = (1000 * images) / Math.max(1, now - this.reportedAt);
    const accuracy = hits / images;
    const learningRate = this.learningRate(step);
    await store.appendMetrics({
      type: "train",
      step,
      loss,
      accuracy,
      learning_rate: learningRate,
      images_per_second: imagesPerSecond,
    });
    const perStep = (now - this.startedAt) / (step - this.startedStep);
    const etaSeconds = (perStep * (recipe.steps - step)) / 1000;
    const { validation } = this;
    const figures = { loss, accuracy, learningRate, imagesPerSecond, etaSeconds, validation };
    onProgress?.({ phase: "train", step, steps: recipe.steps, ...figures });
    this.reportedAt = now;
    this.reportedStep = step;
  }

  /** Validation, and a checkpoint; "best" is chosen on the validation split, never on test. */
  private async evaluate(step: number): Promise<void> {
    const { val } = this.options.dataset.splits;
    let isBest = val.count === 0;
    if (step > this.reportedStep) await this.report(step); // before a NaN is validated
    const before = this.now();
    if (val.count > 0) {
      this.validation = await this.predictor.evaluate(val);
      await this.logEvaluation(step, "val", this.validation);
      const { accuracy } = this.validation;
      isBest = this.best === null || accuracy > this.best.accuracy;
      if (isBest) this.best = { step, accuracy };
    }
    await this.checkpoint(step, isBest);
    this.reportedAt += this.now() - before; // rates are of training alone
  }

  private async logEvaluation(
    step: number,
    split: "val" | "test",
    { loss, accuracy, count }: Evaluation,
  ): Promise<void> {
    await this.options.store.appendMetrics({ type: "eval", step, split, loss, accuracy, n: count });
  }

  private async checkpoint(step: number, isBest = false): Promise<void> {
    const { engine, config, store } = this.options;
    const { best } = this;
    if (step > this.reportedStep) await this.report(step); // a NaN must not reach a checkpoint
    const files = await makeCheckpoint(this.state, config, { step, best, picks: engine.picks });
    await store.saveCheckpoint(files, { isBest });
    this.savedAt = this.now();
  }

  dispose(): void {
    this.stepper.dispose();
    this.predictor.dispose();
  }
}

/**
 * Trains to the recipe's last step, evaluates on the test split once, and leaves checkpoints.
 * The same seed, adapter and picks give the same bits, also through a resume.
 * @throws NumericError when the loss is no longer finite.
 * @throws InterruptedError after an abort, once a checkpoint is written.
 */
export async function trainRun(options: TrainOptions): Promise<TrainResult> {
  const { engine } = options;
  return engine.scope(async () => {
    const run = new Run(options);
    try {
      return await run.run();
    } finally {
      run.dispose();
    }
  });
}
