/** Writes large files piece by piece, in any order, whole or not at all. */
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { RangeWriter } from "./host.ts";
import { makeFolders } from "./node-folder.ts";
import { naming } from "./node-naming.ts";

/**
 * Opens a file for writes anywhere in it, beside its final place; makes missing folders.
 * @throws DataError naming the path if it cannot be written; nothing is left behind.
 */
export async function openWriter(path: string): Promise<RangeWriter> {
  const suffix = `${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  const file = await naming("write", path, async () => {
    await makeFolders(dirname(path));
    return fs.open(temporary, "wx");
  });
  const abort = async (): Promise<void> => {
    await file.close().catch(() => undefined);
    await fs.rm(temporary, { force: true });
  };
  const orAbort = async (action: () => Promise<void>): Promise<void> => {
    try {
      await naming("write", path, action);
    } catch (error) {
      await abort();
      throw error;
    }
  };
  return {
    write: (offset, bytes) =>
      orAbort(async () => {
        for (let done = 0; done < bytes.length;) {
          const part = await file.write(bytes, done, bytes.length - done, offset + done);
          done += part.bytesWritten;
        }
      }),
    commit: () =>
      orAbort(async () => {
        await file.sync();
        await file.close();
        await fs.rename(temporary, path);
      }),
    abort,
  };
}
