/** Random access to bytes, wherever they are: what readers and writers of array files stand on. */
import type { RangeReader, RangeWriter } from "../platform/host.ts";
import { FormatError } from "../util/errors.ts";

/** Bytes to read from, by offset. What `read` returns belongs to the caller. */
export type ByteRange = RangeReader;

/** Bytes to write to, by offset; nothing is visible before `commit`. */
export type ByteSink = RangeWriter;

/** A range over bytes in memory. */
export function bytesRange(bytes: Uint8Array): ByteRange {
  return {
    size: bytes.length,
    // Not slice(): Node's Buffer overrides it with a view.
    read: (offset, length) =>
      Promise.resolve(new Uint8Array(bytes.subarray(offset, offset + length))),
    close: () => Promise.resolve(),
  };
}

/** A part of a range; closing it leaves the whole open. */
export function subRange(range: ByteRange, start: number, size: number): ByteRange {
  return {
    size,
    read: (offset, length) =>
      range.read(start + offset, Math.max(0, Math.min(length, size - offset))),
    close: () => Promise.resolve(),
  };
}

/**
 * Exactly `length` bytes.
 * @throws FormatError if the file ends before.
 */
export async function readExactly(
  range: ByteRange,
  offset: number,
  length: number,
  file: string,
): Promise<Uint8Array> {
  const inside = offset >= 0 && offset + length <= range.size;
  const bytes = inside ? await range.read(offset, length) : new Uint8Array();
  if (bytes.length !== length)
    throw new FormatError(
      file,
      `ends at byte ${range.size}, before the ${length} bytes wanted at ${offset}; the file is cut short, copy or make it again`,
    );
  return bytes;
}

/** A sink into memory of a known size; `bytes` holds what was written. */
export function memorySink(size: number): ByteSink & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(size);
  return {
    bytes,
    write: (offset, part) => {
      bytes.set(part, offset);
      return Promise.resolve();
    },
    commit: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  };
}
