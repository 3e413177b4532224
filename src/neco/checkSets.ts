/** Whether the sets of a task belong together, told by name and file before anything is computed. */
import { checkHead } from "../io/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError, UsageError } from "../util/errors.ts";

/** Keys of results are set names, and this one would be lost: it sets an object's prototype. */
const LOST = "__proto__";

/** A set's name, with the file that it is read from. */
export const setTitle = ({ name, file }: FeatureSource): string =>
  file === undefined || file === name ? name : `${name} (${file})`;

/**
 * Passes if no two sets share a name and none has a reserved one.
 * @throws UsageError naming the set.
 */
export function assertNames(
  sets: readonly FeatureSource[],
  reserved: readonly string[] = [],
): void {
  const taken = new Set([LOST, ...reserved]);
  for (const { name } of sets) {
    if (taken.has(name))
      throw new UsageError(`OOD set "${name}" comes twice or is a reserved name: rename it`);
    taken.add(name);
  }
}

/** What further sets must agree with. */
export interface Reference {
  /** The set that the others are held against. */
  readonly base: FeatureSource;
  readonly head: Head | null;
}

/**
 * Passes if every set has rows, the columns of the base, and logits of as many classes as the head,
 * or the base's logits where there is no head.
 * @param kind - what a set is called beside its name, such as "OOD validation set"
 * @throws DataError naming set, file and both sizes.
 */
export function assertFit(
  { base, head }: Reference,
  sets: readonly FeatureSource[],
  kind = "",
): void {
  if (base.rows === 0) throw new DataError(`${setTitle(base)} is empty: pass at least one sample`);
  if (head) checkHead(head, base.dim, setTitle(base));
  assertClasses(base, base, head);
  for (const set of sets) {
    const title = `${kind === "" ? "" : `${kind} `}${setTitle(set)}`;
    if (set.rows === 0)
      throw new DataError(`${title} is empty: pass at least one sample, or leave it out`);
    if (set.dim !== base.dim)
      throw new DataError(
        `${title} has ${set.dim} feature columns, ${setTitle(base)} has ${base.dim}: extract both with the same model`,
      );
    assertClasses(set, base, head, title);
  }
}

function assertClasses(
  { classes }: FeatureSource,
  base: FeatureSource,
  head: Head | null,
  title = setTitle(base),
): void {
  const due = head?.classes ?? base.classes;
  if (classes === null || due === null || classes === due) return;
  const other = head ? `the head has ${due}` : `those of ${setTitle(base)} have ${due}`;
  throw new DataError(
    `${title} has logits of ${classes} classes, ${other}: take all from one model, or leave the logits out and pass its head`,
  );
}

/**
 * Passes if a source has the columns, of features and of logits, that a detector knows.
 * @throws DataError naming set, file and both sizes.
 */
export function assertSource(
  source: FeatureSource,
  { dim, head }: { readonly dim: number; readonly head: Head | null },
): void {
  if (source.dim !== dim)
    throw new DataError(
      `${setTitle(source)} has ${source.dim} feature columns, the detector was fitted on ${dim}: use the model it was made with`,
    );
  if (head && source.classes !== null && source.classes !== head.classes)
    throw new DataError(
      `${setTitle(source)} has logits of ${source.classes} classes, the detector's head has ${head.classes}: use the model it was made with`,
    );
}
