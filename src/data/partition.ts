/** How images are dealt to splits: per class, in file order, the same on every machine. */
import { at } from "../util/shape.ts";

/** Indices of the images of each class, in file order. */
export function indicesByClass(labels: Int32Array, classes: number): number[][] {
  const lists = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, index) => lists[label]?.push(index));
  return lists;
}

/**
 * Per class in file order: the first `train` percent, the next `val` percent, the rest is test.
 * Within a split the classes take turns, so that any first part of it is balanced.
 */
export function partition(
  labels: Int32Array,
  classes: number,
  percent: { train: number; val: number },
): { train: number[]; val: number[]; test: number[] } {
  const parts = indicesByClass(labels, classes).map((indices) => {
    const train = Math.floor((indices.length * percent.train) / 100);
    const val = train + Math.floor((indices.length * percent.val) / 100);
    return {
      train: indices.slice(0, train),
      val: indices.slice(train, val),
      test: indices.slice(val),
    };
  });
  return {
    train: takeTurns(parts.map((part) => part.train)),
    val: takeTurns(parts.map((part) => part.val)),
    test: takeTurns(parts.map((part) => part.test)),
  };
}

/** Holds out the last `percent` of each class (at least one image of a class of two or more). */
export function holdOut(
  labels: Int32Array,
  classes: number,
  percent: number,
): { train: number[]; val: number[] } {
  const held = new Set(
    indicesByClass(labels, classes).flatMap((indices) => {
      const count = Math.floor((indices.length * percent) / 100);
      const least = indices.length > 1 ? 1 : 0;
      return indices.slice(indices.length - Math.max(count, least));
    }),
  );
  const all = Array.from(labels, (_, index) => index);
  return { train: all.filter((index) => !held.has(index)), val: all.filter((i) => held.has(i)) };
}

/** First of each list, second of each list, … */
export function takeTurns(lists: readonly (readonly number[])[]): number[] {
  const rounds = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: rounds }, (_, round) =>
    lists.flatMap((list) => (round < list.length ? [at(list, round)] : [])),
  ).flat();
}
