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

/**
 * Deals the digits; measurements look at `measured` training images, the classes taking turns.
 * @throws UsageError if a held-out digit does not exist or is named twice.
 */
export function dealDigits(all: ImageDataset, heldOut: string, measured: number): Digits {
  const names = parseClasses(heldOut, all.classes);
  const known = withoutClasses(all, names);
  return {
    known,
    sample: takeFirst(known, measured).splits.train,
    heldOut: selectClasses(all, names),
  };
}
