/** Node as a host: files, hashes, images and Dawn. The same functions as browser.ts. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { dirname, basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { DataError } from "../util/errors.ts";
import type { DecodedImage, RangeReader } from "./host.ts";
import { makeFolders } from "./node-folder.ts";
import { naming } from "./node-naming.ts";

export { openGpu } from "./node-gpu.ts";
export { cacheFolder } from "./node-swiftshader.ts";
export { openWriter } from "./node-writer.ts";

/** Which host this is. */
export const host = "node";

/**
 * The bytes of a file, or of an http(s) or file address.
 * @throws DataError if it is missing or cannot be read.
 */
export async function readBytes(pathOrUrl: string): Promise<Uint8Array> {
  if (/^https?:/.test(pathOrUrl)) return download(pathOrUrl);
  const path = pathOrUrl.startsWith("file:") ? fileURLToPath(pathOrUrl) : pathOrUrl;
  return plain(await naming("read", path, () => fs.readFile(path)));
}

/**
 * Opens a file for reads anywhere in it; close it when done.
 * @throws DataError if it is missing, or a read goes past its end.
 */
export async function openRange(path: string): Promise<RangeReader> {
  const file = await naming("read", path, () => fs.open(path, "r"));
  const found = await file.stat();
  if (found.isDirectory()) {
    await file.close();
    throw new DataError(`cannot read ${path}: it is a folder, a file was wanted`);
  }
  const { size } = found;
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await naming("read", path, () =>
          file.read(bytes, filled, length - filled, offset + filled),
        );
        if (bytesRead === 0)
          throw new DataError(
            `${path}: wanted ${length} bytes at ${offset}, but the file ends at ${size}; it is truncated, fetch or make it again`,
          );
        filled += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

/**
 * Writes a file so that a reader sees the old one or the whole new one, even after a crash; makes
 * missing folders.
 * @throws DataError naming the path if it cannot be written; nothing is left behind.
 */
export async function writeAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const folder = dirname(path);
  const suffix = `${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const temporary = join(folder, `.${basename(path)}.${suffix}.tmp`);
  await naming("write", path, async () => {
    await makeFolders(folder);
    try {
      const file = await fs.open(temporary, "wx");
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  });
}

/**
 * Adds one line to a text file, which is made if missing.
 * @throws DataError naming the path if it cannot be written.
 */
export async function appendLine(path: string, line: string): Promise<void> {
  await naming("write", path, () => fs.appendFile(path, `${line}\n`));
}

/** Whether a file or folder is there. */
export async function exists(path: string): Promise<boolean> {
  return fs.access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The names in a folder, sorted; without the folder's own path.
 * @throws DataError if it is not a readable folder.
 */
export async function listFolder(path: string): Promise<string[]> {
  const names = await naming("read", path, () => fs.readdir(path));
  return names.sort();
}

/**
 * Makes a folder and its parents; no error if it is there.
 * @throws DataError naming the path if it cannot be made.
 */
export async function makeFolder(path: string): Promise<void> {
  await naming("write", path, () => makeFolders(path));
}

/** The SHA-256 of the bytes, as hex. */
export function sha256(bytes: Uint8Array): Promise<string> {
  return Promise.resolve(createHash("sha256").update(bytes).digest("hex"));
}

/**
 * Unpacks gzip.
 * @throws DataError if the bytes are no whole gzip stream.
 */
export async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return plain(await promisify(zlib.gunzip)(bytes));
  } catch (cause) {
    throw new DataError("gzip data is broken or truncated: fetch the file again", { cause });
  }
}

/** Packs as gzip. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return plain(await promisify(zlib.gzip)(bytes, { level: 9 }));
}

/**
 * Decodes an image file (PNG, JPEG, WebP, GIF, SVG, …) to 8-bit sRGB, turned as its EXIF says.
 * @throws DataError if it is no image that sharp can read.
 */
export async function decodeImage(bytes: Uint8Array): Promise<DecodedImage> {
  const { default: sharp } = await import("sharp"); // heavy: only when an image is there to decode
  try {
    const { data, info } = await sharp(bytes)
      .autoOrient()
      .toColourspace("srgb")
      .ensureAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgba: plain(data) };
  } catch (cause) {
    throw new DataError(`this is no image that can be decoded (${text(cause)})`, { cause });
  }
}

/** An environment variable. */
export const environment = (name: string): string | undefined => process.env[name];

/** Waits. */
export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const plain = (buffer: Uint8Array): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function download(url: string): Promise<Uint8Array> {
  const response = await naming("read", url, () => fetch(url));
  if (!response.ok) throw new DataError(`cannot read ${url}: the server says ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
