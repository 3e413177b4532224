/** Refuses outputs that cannot be written before the work whose results they would hold. */
import { stat } from "node:fs/promises";
import { openWriter } from "#platform";
import { DataError } from "../util/errors.ts";

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Passes if every path can be written: makes missing folders and tries a file beside each place.
 * @param paths - where absent there is no output; `-` stands for standard output
 * @throws DataError naming the first that cannot.
 */
export async function checkOutputs(paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined || path === "-") continue;
    if (await isFolder(path))
      throw new DataError(`cannot write ${path}: it is a folder, a file was wanted`);
    const attempt = await openWriter(path);
    await attempt.abort();
  }
}
