/** Answers that were right or wrong, with their confidence. */
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import type { Ranking, Scores } from "./thresholds.ts";

/** 1 where an answer is right, 0 where it is wrong. */
export type Outcomes = Uint8Array;

/**
 * Confidences of the right answers (as `id`) and of the wrong ones (as `ood`), each ascending: two
 * sorts of numbers instead of one of indices. A side may be empty.
 * @throws DataError if the lists differ in length, or a confidence is NaN or Inf.
 */
export function splitByOutcome(confidence: Scores, isRight: Outcomes): Ranking {
  if (confidence.length !== isRight.length)
    throw new DataError(
      `one outcome per confidence is needed; got ${confidence.length} confidences, ${isRight.length} outcomes`,
    );
  const rights = isRight.reduce((count, right) => count + right, 0);
  const id = new Float64Array(rights);
  const ood = new Float64Array(confidence.length - rights);
  let right = 0;
  for (let sample = 0; sample < confidence.length; sample++) {
    const value = at(confidence, sample);
    if (!Number.isFinite(value))
      throw new DataError(`the confidence of sample ${sample} is ${value}: check the features`);
    if (isRight[sample] === 1) id[right++] = value;
    else ood[sample - right] = value;
  }
  return { id: id.sort(), ood: ood.sort() };
}
