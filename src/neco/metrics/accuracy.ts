/** Share of samples whose predicted class is the labelled one. */
import { DataError } from "../../util/errors.ts";

/**
 * #\{i : predicted_i = label_i\} / n.
 * @throws DataError if the lists are empty or differ in length.
 */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  if (predicted.length !== labels.length)
    throw new DataError(
      `accuracy needs one label per prediction; got ${predicted.length} predictions, ${labels.length} labels`,
    );
  if (labels.length === 0) throw new DataError("accuracy needs at least one sample");
  let right = 0;
  for (let sample = 0; sample < labels.length; sample++)
    if (predicted[sample] === labels[sample]) right++;
  return right / labels.length;
}
