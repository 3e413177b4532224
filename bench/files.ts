/** Files that the benches read again, and the pages that they write. */
import { parseHTML } from "linkedom";
import { readBytes, writeAtomic } from "../src/platform/node.ts";
import { peersIn } from "./peers/file.ts";
import type { PeersReport } from "./peers/report.ts";
import { reportIn } from "./report.ts";
import type { BenchReport } from "./report.ts";

const textOf = async (path: string): Promise<string> =>
  new TextDecoder().decode(await readBytes(path));

/**
 * A file of `bench --json`.
 * @throws DataError if it cannot be read, FormatError if it holds something else.
 */
export const readReport = async (path: string): Promise<BenchReport> =>
  reportIn(path, await textOf(path));

/**
 * A file of `bench:peers --json`.
 * @throws DataError if it cannot be read, FormatError if it holds something else.
 */
export const readPeers = async (path: string): Promise<PeersReport> =>
  peersIn(path, await textOf(path));

/** Writes what `render` makes in a fresh document. */
export const writePage = (path: string, render: (document: Document) => string): Promise<void> =>
  writeAtomic(path, render(parseHTML("<!doctype html><html><body></body></html>").document));
