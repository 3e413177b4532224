/** Reads zip archives by their directory: stored members in place, deflated ones inflated; both checked. */
import { FormatError } from "../util/errors.ts";
import { crc32 } from "./crc32.ts";
import { bytesRange, readExactly, subRange, type ByteRange } from "./range.ts";

/** A file in a zip archive. */
export interface ZipMember {
  readonly name: string;
  readonly deflated: boolean;
  readonly size: number;
  readonly compressedSize: number;
  readonly crc: number;
  readonly headerOffset: number;
}

const END_SIZE = 22;
const MAX_COMMENT = 65_535;
const END64_LOCATOR_SIZE = 20;
const INFLATE_CHUNK = 4 << 20; // bytes read at a time
const MAX_INFLATED = 2 ** 31; // a member is inflated into one buffer
const MAX_DEFLATE_RATIO = 1032; // what deflate can reach at best
const UNSET = 0xffff_ffff; // a 32-bit field whose value stands in the zip64 record

/**
 * The archive's directory.
 * @throws FormatError if it is no zip archive, cut short, encrypted, or packed in another way.
 */
export async function readZip(range: ByteRange, file: string): Promise<ZipMember[]> {
  const { entries, size, offset } = await findDirectory(range, file);
  const bytes = await readExactly(range, offset, size, file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members: ZipMember[] = [];
  let at = 0;
  while (members.length < entries) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50)
      throw new FormatError(file, `its zip directory is damaged at entry ${members.length}`);
    const end = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = end + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length)
      throw new FormatError(file, `its zip directory is damaged at entry ${members.length}`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, end));
    if (members.some((member) => member.name === name))
      throw new FormatError(file, `holds "${name}" twice; make it again`);
    members.push(memberAt(view, { at, extra: end, extraEnd, name, file }));
    at = next;
  }
  return members;
}

/**
 * The bytes of a member. A stored one is read in place, so that rows can be streamed from it; the
 * read that completes it fails if its checksum differs.
 * @throws FormatError if the member is damaged or too large to inflate.
 */
export async function openMember(
  range: ByteRange,
  member: ZipMember,
  file: string,
): Promise<ByteRange> {
  const local = await readExactly(range, member.headerOffset, 30, file);
  const view = new DataView(local.buffer, local.byteOffset);
  if (view.getUint32(0, true) !== 0x04034b50)
    throw new FormatError(file, `"${member.name}" does not start where the zip directory says`);
  const start = member.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + member.compressedSize > range.size)
    throw new FormatError(file, `is cut short within "${member.name}"; copy or make it again`);
  const packed = subRange(range, start, member.compressedSize);
  return member.deflated
    ? bytesRange(await inflate(packed, member, file))
    : summed(packed, member, file);
}

/** Sums up what is read in order, so that a pass over all rows checks them without another one. */
function summed(packed: ByteRange, { name, crc }: ZipMember, file: string): ByteRange {
  let next = 0; // bytes summed so far
  let sum = 0;
  return {
    ...packed,
    async read(offset, length) {
      const bytes = await packed.read(offset, length);
      const end = offset + bytes.length;
      if (offset > next || end <= next) return bytes; // out of order, or known
      sum = crc32(bytes.subarray(next - offset), sum);
      next = end;
      if (next === packed.size && sum !== crc)
        throw new FormatError(file, `"${name}" is damaged: its checksum differs; make it again`);
      return bytes;
    },
  };
}

async function inflate(packed: ByteRange, member: ZipMember, file: string): Promise<Uint8Array> {
  const { name, size } = member;
  if (size > MAX_INFLATED)
    throw new FormatError(
      file,
      `"${name}" inflates to ${size} bytes, too many to hold; save it with numpy.savez, which does not compress and can be streamed`,
    );
  if (size > (packed.size + 64) * MAX_DEFLATE_RATIO)
    throw new FormatError(file, `"${name}" cannot inflate to the ${size} bytes it claims`);
  const out = new Uint8Array(size);
  let filled = 0;
  const stream = new DecompressionStream("deflate-raw");
  const reader = stream.readable.getReader();
  const fed = feed(stream.writable.getWriter(), packed, file);
  fed.catch(() => undefined); // read() rejects for the same reason, and is waited for first
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (filled + next.value.length > size)
        throw new FormatError(file, `"${name}" inflates to more than its ${size} bytes`);
      out.set(next.value, filled);
      filled += next.value.length;
    }
    await fed;
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(file, `"${name}" is damaged and cannot be inflated`, { cause });
  }
  if (filled !== size || crc32(out) !== member.crc)
    throw new FormatError(file, `"${name}" is damaged: its checksum differs; make it again`);
  return out;
}

/** Writes all of a range, a chunk at a time. */
async function feed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  packed: ByteRange,
  file: string,
): Promise<void> {
  try {
    for (let at = 0; at < packed.size; at += INFLATE_CHUNK) {
      const length = Math.min(INFLATE_CHUNK, packed.size - at);
      await writer.write(Uint8Array.from(await readExactly(packed, at, length, file)));
    }
    await writer.close();
  } catch (cause) {
    await writer.abort(cause).catch(() => undefined); // else the reader would wait for ever
    throw cause;
  }
}

interface EntryPlace {
  readonly at: number;
  readonly extra: number;
  readonly extraEnd: number;
  readonly name: string;
  readonly file: string;
}

function memberAt(view: DataView, { at, extra, extraEnd, name, file }: EntryPlace): ZipMember {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if ((flags & 1) !== 0) throw new FormatError(file, `"${name}" is encrypted`);
  if (method !== 0 && method !== 8)
    throw new FormatError(file, `"${name}" is packed by method ${method}; use numpy.savez`);
  const wide = wideFields(view, extra, extraEnd);
  const field = (offset: number): number => {
    const value = view.getUint32(at + offset, true);
    return value === UNSET ? (wide.shift() ?? value) : value;
  };
  // The zip64 record holds the fields that are unset, in this order.
  const size = field(24);
  const compressedSize = field(20);
  const headerOffset = field(42);
  if (method === 0 && size !== compressedSize)
    throw new FormatError(file, `"${name}" is stored, yet its two sizes differ`);
  const crc = view.getUint32(at + 16, true);
  return { name, deflated: method === 8, size, compressedSize, crc, headerOffset };
}

function wideFields(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const count = Math.floor(Math.min(view.getUint16(at + 2, true), end - at - 4) / 8);
    return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
  }
  return [];
}

async function findDirectory(
  range: ByteRange,
  file: string,
): Promise<{ entries: number; size: number; offset: number }> {
  const length = Math.min(range.size, END_SIZE + MAX_COMMENT);
  const base = range.size - length;
  const tail = await readExactly(range, base, length, file);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let end = tail.length - END_SIZE;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0)
    throw new FormatError(
      file,
      `has no zip directory at its end; it is no .npz or is cut short; copy or make it again`,
    );
  const locator = end - END64_LOCATOR_SIZE;
  if (locator >= 0 && view.getUint32(locator, true) === 0x07064b50) {
    const record = await readExactly(range, Number(view.getBigUint64(locator + 8, true)), 56, file);
    const wide = new DataView(record.buffer, record.byteOffset);
    if (wide.getUint32(0, true) !== 0x06064b50)
      throw new FormatError(file, `its zip64 directory record is damaged`);
    const read = (at: number): number => Number(wide.getBigUint64(at, true));
    return { entries: read(32), size: read(40), offset: read(48) };
  }
  return {
    entries: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };
}
