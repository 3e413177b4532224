/** The built-in digits as the page uses them: known classes to train on, held-out ones as OOD. */
import type { ImageDataset, Split } from "../src/data/dataset.ts";
import { loadMnist10k } from "../src/data/mnist10k.ts";
import { parseClasses, selectClasses, takeFirst, withoutClasses } from "../src/data/subset.ts";

/** Where the build puts the packed digits, beside the page. */
const DATA_FOLDER = "data/mnist-10k";

/** The digits, dealt to what is known and what is not. */
export interface Digits {
  readonly known: ImageDataset;
  /** Images of the known training split that curves and the cloud are measured on. */
  readonly sample: Split;
  /** The held-out digits, which training never sees. */
  readonly heldOut: ImageDataset;
}

/** Loads all ten digits. */
export const loadDigits = (): Promise<ImageDataset> => loadMnist10k(DATA_FOLDER);

/** How digits are dealt. */
export interface Deal {
  /** Digits to hold out, as a list such as `4,9`. */
  readonly heldOut: string;
  /** Training images that measurements look at, the classes taking turns. */
  readonly measured: number;
  /** At most so many images of each split; null for all. */
  readonly limit: number | null;
}

/**
 * Deals the digits.
 * @throws UsageError if a held-out digit does not exist or is named twice, or a number is not whole.
 */
export function dealDigits(all: ImageDataset, { heldOut, measured, limit }: Deal): Digits {
  const names = parseClasses(heldOut, all.classes);
  const limited = (dataset: ImageDataset): ImageDataset =>
    limit === null ? dataset : takeFirst(dataset, limit);
  const known = limited(withoutClasses(all, names));
  return {
    known,
    sample: takeFirst(known, measured).splits.train,
    heldOut: limited(selectClasses(all, names)),
  };
}
