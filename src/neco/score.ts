/** What an OOD score is: fitted on ID training features, then a number per sample, higher = more ID. */
import type { Engine } from "../engine/index.ts";
import type { Head } from "../io/index.ts";
import type { Block } from "./block.ts";
import type { ImageModel } from "./imageModel.ts";
import type { TrainStatistics } from "./moments.ts";
import type { ScoreOptions } from "./options.ts";
import type { Parameters } from "./parameters.ts";

/** An array of a fitted score's state, as files hold it. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Parameters that results and files name: chosen d, α and the like. */
export type Params = Readonly<Record<string, string | number | boolean>>;

/** All that scoring needs after fitting; plain data, so it saves and loads by itself. */
export interface ScoreState {
  readonly arrays: Readonly<Record<string, NamedArray>>;
  readonly params: Params;
  /** What a reader of the results must know, such as a tie that makes d ambiguous. */
  readonly warnings: readonly string[];
}

/**
 * A fit that must see the training rows once more; all such fits share one pass. `finish` may ask
 * for another one by giving the next calibration.
 */
export interface Calibration {
  /** Whose rows are visited: those of ID training unless told. */
  readonly over?: "validation" | undefined;
  observe(block: Block): Promise<void>;
  finish(): Promise<Fit>;
}

/** A score's state, or what it still takes to get there. */
export type Fit = ScoreState | Calibration;

/** What fitting may look at. */
export interface FitContext {
  readonly engine: Engine;
  readonly train: TrainStatistics;
  readonly head: Head | null;
  readonly options: ScoreOptions;
  /** The network, for scores that need images. */
  readonly model: ImageModel | null;
}

/** A fitted score with its tensors on the GPU. */
export interface Scorer {
  /** One number per row of the block, in float64 so that close scores stay apart. */
  score(block: Block): Promise<Float64Array>;
  dispose(): void;
}

/**
 * What a score cannot do without. `features`: fitted on ID training features; `labels`: their class
 * labels; `logits`: from the file or through a head; `head`: W (and b) themselves; `images`: the
 * images of every set and the network; `validation`: those of an ID validation set, for the fit;
 * `peers`: logits of further models for the samples of every set that is scored.
 */
export type Need = "features" | "labels" | "logits" | "head" | "images" | "validation" | "peers";

/** An OOD score: one small object, one file. */
export interface Score {
  readonly name: string;
  /** Other names that the command line accepts, such as OpenOOD's. */
  readonly aliases: readonly string[];
  /** For tables. */
  readonly title: string;
  readonly needs: readonly Need[];
  /** What can be chosen, and searched. */
  readonly parameters?: Parameters;
  /** From statistics alone gives a state, else a {@link Calibration}. */
  fit(context: FitContext): Promise<Fit>;
  /** @param model - the network, for scores that need images; null where it is not at hand. */
  bind(engine: Engine, state: ScoreState, model: ImageModel | null): Scorer;
}

/** True for a score that looks into the network: its blocks are batches of images. */
export const needsImages = ({ needs }: Score): boolean => needs.includes("images");

/** True for a score that looks at the logits of further models. */
export const needsPeers = ({ needs }: Score): boolean => needs.includes("peers");

/** True for a fit that wants the shared second pass. */
export const isCalibration = (fit: Fit): fit is Calibration => "observe" in fit;

/** The state of scores that have nothing to fit. */
export const emptyState: ScoreState = { arrays: {}, params: {}, warnings: [] };

/** One calibration for several scores: each block is observed once, the end is reached once. */
export function sharedCalibration(calibration: Calibration): Calibration {
  let last: { readonly block: Block; readonly done: Promise<void> } | null = null;
  let end: Promise<Fit> | null = null;
  return {
    over: calibration.over,
    observe(block) {
      if (last?.block !== block) last = { block, done: calibration.observe(block) };
      return last.done;
    },
    finish: () => (end ??= calibration.finish().then(sharedFit)),
  };
}

/** What follows a shared calibration is shared as well. */
const sharedFit = (fit: Fit): Fit => (isCalibration(fit) ? sharedCalibration(fit) : fit);

/** Several fits as one, on the same passes; `merge` makes one state of theirs, in order. */
export function jointly(
  fits: readonly Fit[],
  merge: (states: readonly ScoreState[]) => ScoreState,
): Fit {
  const states = fits.flatMap((fit) => (isCalibration(fit) ? [] : [fit]));
  if (states.length === fits.length) return merge(states);
  return {
    async observe(block) {
      for (const fit of fits) if (isCalibration(fit)) await fit.observe(block);
    },
    async finish() {
      const next: Fit[] = [];
      for (const fit of fits) next.push(isCalibration(fit) ? await fit.finish() : fit);
      return jointly(next, merge);
    },
  };
}

/** A calibration (or a state at hand) with its final state turned into something further. */
export function afterwards(
  fit: Fit,
  turn: (state: ScoreState) => Fit | Promise<Fit>,
): Promise<Fit> {
  if (!isCalibration(fit)) return Promise.resolve(turn(fit));
  return Promise.resolve({
    over: fit.over,
    observe: (block) => fit.observe(block),
    finish: async () => afterwards(await fit.finish(), turn),
  });
}
