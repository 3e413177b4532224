/** Whether probabilities mean what they say: expected calibration error and the reliability diagram. */
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { splitByOutcome } from "./outcomes.ts";
import type { Outcomes } from "./outcomes.ts";
import { oodFirst } from "./thresholds.ts";
import type { Scores } from "./thresholds.ts";

/** A bar of a reliability diagram. */
export interface ReliabilityBin {
  readonly n: number;
  /** Means over the bin; null where it is empty. */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

/** Calibration error with the bins that it was taken over, lowest confidence first. */
export interface Calibration {
  /** Σ_b n_b/n · |accuracy_b − confidence_b|. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
}

/** How confidences are binned. */
export interface CalibrationOptions {
  /** 15 if not given. */
  readonly bins?: number;
  /**
   * `width`: (b/B, (b + 1)/B] (Guo et al., 2017); `mass`: equally many samples each (adaptive; Nguyen
   * and O'Connor, 2015), a tie across a border being shared out evenly.
   */
  readonly by?: "width" | "mass";
}

const BINS = 15;

/**
 * Calibration of confidences in [0, 1] against whether the answers were right.
 * @throws DataError if there are no samples, or a confidence is outside [0, 1].
 */
export function calibration(
  confidence: Scores,
  isRight: Outcomes,
  { bins = BINS, by = "width" }: CalibrationOptions = {},
): Calibration {
  if (confidence.length === 0) throw new DataError("calibration needs at least one sample");
  const outside = confidence.findIndex((value) => !(value >= 0 && value <= 1));
  if (outside >= 0)
    throw new DataError(
      `calibration needs probabilities; the confidence of sample ${outside} is ${at(confidence, outside)}`,
    );
  const split = splitByOutcome(confidence, isRight);
  const total = confidence.length;
  const sums: Sums = {
    n: new Float64Array(bins),
    confidence: new Float64Array(bins),
    right: new Float64Array(bins),
  };
  let [rightsBefore, seen] = [0, 0];
  // Lowest confidence first; the wrong answers are the "positives" of this walk.
  oodFirst(split).each((wrongs, rights, value) => {
    const size = wrongs + rights - seen;
    const share = (rights - rightsBefore) / size;
    if (by === "width") add(sums, widthBin(value, bins), { n: size, value, share });
    else addByMass(sums, { seen, size, total }, { value, share });
    [rightsBefore, seen] = [rights, wrongs + rights];
    return true;
  });
  return resultOf(sums, total);
}

/** The bin of (b/B, (b + 1)/B]; 0 belongs to the first. The edges are the rounded b/B themselves. */
function widthBin(value: number, bins: number): number {
  const guess = Math.min(bins - 1, Math.max(0, Math.ceil(value * bins) - 1));
  if (guess > 0 && value <= guess / bins) return guess - 1;
  return guess < bins - 1 && value > (guess + 1) / bins ? guess + 1 : guess;
}

/** Spreads a tie over the bins whose ranks it takes. */
function addByMass(
  sums: Sums,
  { seen, size, total }: { seen: number; size: number; total: number },
  { value, share }: { value: number; share: number },
): void {
  const bins = sums.n.length;
  let from = seen;
  let bin = Math.min(bins - 1, Math.floor((from * bins) / total));
  while (from < seen + size) {
    const end = bin === bins - 1 ? total : Math.floor(((bin + 1) * total) / bins);
    const until = Math.min(seen + size, end);
    if (until > from) add(sums, bin, { n: until - from, value, share });
    from = Math.max(from, until);
    bin++;
  }
}

/** Running sums per bin. */
interface Sums {
  readonly n: Float64Array;
  readonly confidence: Float64Array;
  readonly right: Float64Array;
}

/** Adds n samples of one confidence, a share of them right. */
function add(
  sums: Sums,
  bin: number,
  { n, value, share }: { n: number; value: number; share: number },
): void {
  sums.n[bin] = at(sums.n, bin) + n;
  sums.confidence[bin] = at(sums.confidence, bin) + n * value;
  sums.right[bin] = at(sums.right, bin) + n * share;
}

function resultOf(sums: Sums, total: number): Calibration {
  let ece = 0;
  const bins = Array.from(sums.n, (n, bin): ReliabilityBin => {
    if (n === 0) return { n, confidence: null, accuracy: null };
    const [confidence, right] = [at(sums.confidence, bin), at(sums.right, bin)];
    ece += Math.abs(right - confidence) / total;
    return { n, confidence: confidence / n, accuracy: right / n };
  });
  return { ece, bins };
}
