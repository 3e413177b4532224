/** Reads the files of a tar archive: enough for npm packages and what they ship. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";

const BLOCK = 512; // bytes

/** One regular file of an archive. */
export interface TarFile {
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/**
 * The regular files, in order; folders, links and extended headers are passed over.
 * @throws RangeError if the archive ends within a file.
 */
export function* tarFiles(archive: Uint8Array): Generator<TarFile> {
  for (let start = 0; start + BLOCK <= archive.length;) {
    const header = archive.subarray(start, start + BLOCK);
    if (header[0] === 0) return; // the archive ends with zero blocks
    const field = (offset: number, length: number): string =>
      new TextDecoder().decode(header.subarray(offset, offset + length)).replace(/\0.*$/s, "");
    const size = Number.parseInt(field(124, 12), 8);
    const body = start + BLOCK;
    if (!(body + size <= archive.length)) throw new RangeError("the tar archive is truncated");
    const prefix = field(345, 155);
    const type = field(156, 1);
    if (type === "" || type === "0") {
      const name = field(0, 100);
      yield {
        name: prefix === "" ? name : `${prefix}/${name}`,
        mode: Number.parseInt(field(100, 8), 8) & 0o777,
        bytes: archive.subarray(body, body + size),
      };
    }
    start = body + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/**
 * Writes the files of a tar archive below a folder.
 * @throws Error if a name leads out of the folder.
 */
export function unpackTar(archive: Uint8Array, folder: string): void {
  for (const { name, mode, bytes } of tarFiles(archive)) {
    const path = normalize(join(folder, name));
    if (!path.startsWith(join(folder, sep)))
      throw new Error(`the archive names a file outside: ${name}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes, { mode });
  }
}
