/** Where the files of make_io_fixtures.py are, and what they hold. */
import { fileURLToPath } from "node:url";

/** Path of a fixture. */
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/io/${name}`, import.meta.url));

/** The 5 × 3 matrix that the feature fixtures hold, row-major. */
export const sampleFeatures = Array.from({ length: 15 }, (_, index) => index / 4 - 1);
