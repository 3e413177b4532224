/** Parts of a data set: some classes, relabelled from 0; at most so many images. */
import { UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { pickSplit, withSplits, type ImageDataset } from "./dataset.ts";
import { indicesByClass, takeTurns } from "./partition.ts";

/**
 * The images of some classes, in the given order of classes, which become 0, 1, …
 * @throws UsageError if a class does not exist or is named twice.
 */
export function selectClasses(dataset: ImageDataset, classes: readonly string[]): ImageDataset {
  const old = classes.map((name) => dataset.classes.indexOf(name));
  const missing = classes.find((_, position) => at(old, position) < 0);
  if (missing !== undefined)
    throw new UsageError(
      `${dataset.name} has no class "${missing}"; it has ${dataset.classes.join(", ")}`,
    );
  if (classes.length === 0 || new Set(old).size !== old.length)
    throw new UsageError(`${dataset.name}: name each class once, and at least one`);
  return {
    ...dataset,
    name: `${dataset.name}:${classes.join(",")}`,
    title: `${dataset.title}, classes ${classes.join(", ")}`,
    classes,
    splits: withSplits(dataset, (split) => {
      const rows = Array.from(split.labels.keys()).filter((row) =>
        old.includes(at(split.labels, row)),
      );
      return pickSplit(split, rows, (label) => old.indexOf(label));
    }),
  };
}

/** The data set without some classes: what a model knows when they are held out as near-OOD. */
export function withoutClasses(dataset: ImageDataset, classes: readonly string[]): ImageDataset {
  return selectClasses(
    dataset,
    dataset.classes.filter((name) => !classes.includes(name)),
  );
}

/** At most so many images of each split, the classes taking turns in file order. */
export function takeFirst(dataset: ImageDataset, limit: number): ImageDataset {
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`a limit of ${limit} images makes no sense; give a whole number above 0`);
  return {
    ...dataset,
    name: `${dataset.name}#${limit}`,
    splits: withSplits(dataset, (split) => {
      if (split.count <= limit) return split;
      const classes = Math.max(1, dataset.classes.length);
      const turns = takeTurns(indicesByClass(split.labels, classes));
      // Images without labels have no turns: take them in order.
      const order = turns.length > 0 ? turns : Array.from(split.labels.keys());
      return pickSplit(split, order.slice(0, limit));
    }),
  };
}

/**
 * Class names from a list such as `0-7` or `cat,dog`, where a range counts class indices.
 * @throws UsageError if a range is none.
 */
export function parseClasses(text: string, all: readonly string[]): string[] {
  return text.split(",").flatMap((part) => {
    const range = /^(\d+)-(\d+)$/.exec(part);
    if (range === null || all.includes(part)) return [part];
    const [first, last] = [Number(range[1]), Number(range[2])];
    if (first > last || last >= all.length)
      throw new UsageError(`classes ${part}: indices run from 0 to ${all.length - 1}`);
    return all.slice(first, last + 1);
  });
}
