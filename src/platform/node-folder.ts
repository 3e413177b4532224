/** Makes folders one by one: Node's own recursive mkdir never ends below /proc. */
import * as fs from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder and its parents; no error if it is there.
 * @throws Error if a parent takes no folders, or what the file system says.
 */
export async function makeFolders(path: string): Promise<void> {
  try {
    await fs.mkdir(path);
  } catch (cause) {
    if (await isFolder(path)) return; // it was there, or another process made it just now
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path) throw cause;
    if (!(await isFolder(parent))) await makeFolders(parent);
    await fs.mkdir(path).catch(async (again: unknown) => {
      if (await isFolder(path)) return;
      throw new Error(`no folder can be made in ${parent}; choose another place`, { cause: again });
    });
  }
}

const isFolder = (path: string): Promise<boolean> =>
  fs.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
