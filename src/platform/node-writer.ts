/** Writes large files piece by piece, in any order, whole or not at all. */
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import type { RangeWriter } from "./host.ts";
import { makeFolders } from "./node-folder.ts";
import { naming } from "./node-naming.ts";
import { temporaryBeside } from "./node-temporary.ts";

/**
 * Opens a file for writes anywhere in it, beside its final place; makes missing folders.
 * @throws DataError naming the path if it cannot be written; nothing is left behind.
 */
export async function openWriter(path: string): Promise<RangeWriter> {
  const { path: temporary, release } = temporaryBeside(path);
  const file = await naming("write", path, async () => {
    await makeFolders(dirname(path));
    return fs.open(temporary, "wx");
  }).catch((error: unknown) => {
    release();
    throw error;
  });
  const abort = async (): Promise<void> => {
    await file.close().catch(() => undefined);
    await fs.rm(temporary, { force: true });
    release();
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
        release();
      }),
    abort,
  };
}
