/** Names the file in errors of the file system, and says what to do. */
import { DataError } from "../util/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist; check the path",
  EACCES: "permission denied; choose a folder that you may use",
  EPERM: "permission denied; choose a folder that you may use",
  EROFS: "the file system is read-only; choose another folder",
  ENOSPC: "the disk is full; make room and start again",
  EISDIR: "it is a folder, a file was wanted",
  EEXIST: "a part of the path is a file, not a folder",
  ENOTDIR: "a part of the path is a file, not a folder",
};

/**
 * Does something with a file.
 * @throws DataError `cannot read PATH: reason` if it fails.
 */
export async function naming<T>(
  verb: "read" | "write",
  path: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`cannot ${verb} ${path}: ${REASONS[code] ?? text}`, { cause });
  }
}
