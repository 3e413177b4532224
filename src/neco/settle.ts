/** Fits scores side by side: solves, and passes over the rows that all who want one share. */
import type { FeatureSource } from "../io/index.ts";
import { DataError, NotPositiveDefiniteError } from "../util/errors.ts";
import { eachBlock, headTensors } from "./block.ts";
import type { PassOptions } from "./block.ts";
import { LogitCheck } from "./logitCheck.ts";
import { isCalibration, needsImages } from "./score.ts";
import type { Calibration, Fit, FitContext, Score, ScoreState } from "./score.ts";
import { noStopwatch } from "./stopwatch.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** Does a piece of the fit of a score by name; null where that refuses the data and may be skipped for it. */
export type Attempt = <T>(name: string, piece: () => Promise<T>) => Promise<T | null>;

/** Notes in `skipped` why a score refuses the data, if it may; every other error goes on. */
export const attempts =
  (mayRefuse: boolean, skipped: Record<string, string>): Attempt =>
  async (name, piece) => {
    try {
      return await piece();
    } catch (error) {
      const refuses = error instanceof DataError || error instanceof NotPositiveDefiniteError;
      if (!refuses || !mayRefuse) throw error;
      skipped[name] = error.message;
      return null;
    }
  };

/** What {@link settle} takes beside the scores. */
export interface SettleInput {
  readonly train: FeatureSource;
  /** ID validation samples, for scores that calibrate on them. */
  readonly validation?: FeatureSource | null | undefined;
  readonly time?: Stopwatch | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly attempt: Attempt;
}

/** States by score, and warnings about the training set's logits. */
export interface Settled {
  readonly states: ReadonlyMap<Score, ScoreState>;
  readonly warnings: readonly string[];
}

/** Fits scores together: further passes over the rows while one wants them, each shared by all that do. */
export async function settle(
  context: FitContext,
  scores: readonly Score[],
  { train, validation, signal, time = noStopwatch, attempt }: SettleInput,
  onRows: (done: number) => void,
): Promise<Settled> {
  const states = new Map<Score, ScoreState>();
  let warnings: readonly string[] | null = null; // null: no pass has looked at the logits yet
  const open = new Map<Score, Calibration>();
  const step = async (score: Score, solve: () => Promise<Fit>): Promise<void> => {
    open.delete(score);
    const fit = await attempt(score.name, () => time("solve", score.name, solve));
    if (fit === null) return;
    if (isCalibration(fit)) open.set(score, fit);
    else states.set(score, fit);
  };
  for (const score of scores) await step(score, () => score.fit(context));
  const batch = scores.some(needsImages) ? context.model?.batch : undefined;
  while (open.size > 0) {
    const pass = { onRows, signal, batch, time };
    const checks = warnings === null;
    const told = await observe(context, train, wanting(open, undefined), { ...pass, checks });
    warnings ??= told;
    if (validation)
      await observe(context, validation, wanting(open, "validation"), { ...pass, checks: false });
    for (const [score, fit] of [...open]) await step(score, () => fit.finish());
  }
  return { states, warnings: warnings ?? [] };
}

/** The calibrations that visit some rows. */
const wanting = (
  open: ReadonlyMap<Score, Calibration>,
  over: Calibration["over"],
): ReadonlyMap<Score, Calibration> => new Map([...open].filter(([, fit]) => fit.over === over));

/**
 * One pass over a source, shared by the calibrations that want it.
 * @returns warnings about its logits, if `checks` asks for a look at them; null without a pass
 */
async function observe(
  { engine, head }: FitContext,
  source: FeatureSource,
  fits: ReadonlyMap<Score, Calibration>,
  { time, checks, ...pass }: PassOptions & { readonly time: Stopwatch; readonly checks: boolean },
): Promise<readonly string[] | null> {
  if (fits.size === 0) return null;
  const tensors = head ? headTensors(engine, head) : null;
  const check = checks && source.logits && tensors ? new LogitCheck(engine, tensors) : null;
  await eachBlock(engine, source, { ...pass, head: tensors }, async (block) => {
    if (block.logits) await time("fit", "logits", () => block.logitStats());
    if (check) await time("fit", "logits", () => engine.scope(() => check.add(block)));
    for (const [{ name }, fit] of fits)
      // Scores of images share tensors of a block among layers; the others leave none behind.
      await time("fit", name, () =>
        pass.batch === undefined ? engine.scope(() => fit.observe(block)) : fit.observe(block),
      );
  });
  tensors?.weight.dispose();
  tensors?.bias?.dispose();
  engine.eager.flush(); // a buffer that a pass not yet submitted uses must not be destroyed
  engine.pool.trim(); // the next pass, or the scores, want buffers of other sizes
  return check?.warnings(source.name) ?? [];
}
