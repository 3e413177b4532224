/** What a reader must know of training features that can be fitted, but are not what one would expect. */
import { at } from "../util/shape.ts";
import type { TrainStatistics } from "./moments.ts";

/** A deviation this small beside the mean is rounding of a constant column in f32. */
const CONSTANT = 2 ** -23;

/** Columns that do not vary, up to f32 rounding. */
export function constantColumns({ mean, covariance, dim }: TrainStatistics): number[] {
  return Array.from(mean, (_, column) => column).filter((column) => {
    const variance = at(covariance, column * dim + column);
    return Math.sqrt(Math.max(0, variance)) <= CONSTANT * Math.abs(at(mean, column));
  });
}

/**
 * A warning where classes have no samples, naming the first; null where all have some.
 * @param present - the labels that occur
 */
export function missingClasses(
  name: string,
  present: Iterable<number>,
  classes: number,
): string | null {
  const known = new Set(present);
  const missing = Array.from({ length: classes }, (_, label) => label).filter(
    (label) => !known.has(label),
  );
  return missing.length === 0
    ? null
    : `${name}: ${missing.length} of ${classes} classes have no samples, the first is class ${at(missing, 0)}; class statistics leave them out`;
}

/**
 * Warnings about classes without samples, columns that do not vary and fewer samples than columns.
 * @param classes - classes of the head or the logits; null if unknown
 */
export function trainWarnings(train: TrainStatistics, classes: number | null): string[] {
  const { name, count, dim } = train;
  const missing =
    train.classes && classes !== null ? missingClasses(name, train.classes.labels, classes) : null;
  const constant = constantColumns(train);
  return [
    ...(missing === null ? [] : [missing]),
    ...(constant.length > 0
      ? [
          `${name}: ${constant.length} of ${dim} feature columns are constant, the first is column ${at(constant, 0)}; they tell nothing`,
        ]
      : []),
    ...(count <= dim
      ? [
          `${name}: ${count} samples in ${dim} dimensions leave the covariance singular; pass more than ${dim} samples for methods that invert it`,
        ]
      : []),
  ];
}
