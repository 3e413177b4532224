/** Headers and directory of a zip archive whose members are stored, zip64 where sizes ask for it. */

/** A member as it is written. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  readonly headerOffset: number;
}

const LIMIT = 0xffff_ffff; // fields of this value and above go to the zip64 record
const DATE_1980 = 0x21; // 1 January 1980: files with equal content are equal to the bit
const VERSION = 20;
const VERSION_ZIP64 = 45;

/** What precedes a member's bytes. */
export function zipLocalHeader({ name, size, crc }: ZipEntry): Uint8Array {
  const wide = size >= LIMIT ? [size, size] : [];
  const fields = wide.length > 0 ? LIMIT : size;
  return concat([
    u32(0x04034b50),
    u16(wide.length > 0 ? VERSION_ZIP64 : VERSION, 0x800, 0, 0, DATE_1980),
    u32(crc, fields, fields),
    u16(encode(name).length, wide.length > 0 ? 4 + 8 * wide.length : 0),
    encode(name),
    zip64Extra(wide),
  ]);
}

/** The directory, which starts at byte `start`, and the end records. */
export function zipDirectory(entries: readonly ZipEntry[], start: number): Uint8Array {
  const directory = concat(entries.map(directoryEntry));
  const isWide = start + directory.length >= LIMIT || entries.length >= 0xffff;
  const count = isWide ? 0xffff : entries.length;
  const end = concat([
    u32(0x06054b50),
    u16(0, 0, count, count),
    u32(isWide ? LIMIT : directory.length, isWide ? LIMIT : start),
    u16(0),
  ]);
  if (!isWide) return concat([directory, end]);
  const record = concat([
    u32(0x06064b50),
    u64(44),
    u16(VERSION_ZIP64, VERSION_ZIP64),
    u32(0, 0),
    u64(entries.length, entries.length, directory.length, start),
  ]);
  const locator = concat([u32(0x07064b50, 0), u64(start + directory.length), u32(1)]);
  return concat([directory, record, locator, end]);
}

function directoryEntry({ name, size, crc, headerOffset }: ZipEntry): Uint8Array {
  const wideSize = size >= LIMIT;
  const wideOffset = headerOffset >= LIMIT;
  const wide = [...(wideSize ? [size, size] : []), ...(wideOffset ? [headerOffset] : [])];
  const version = wide.length > 0 ? VERSION_ZIP64 : VERSION;
  const shown = wideSize ? LIMIT : size;
  return concat([
    u32(0x02014b50),
    u16(version, version, 0x800, 0, 0, DATE_1980),
    u32(crc, shown, shown),
    u16(encode(name).length, wide.length > 0 ? 4 + 8 * wide.length : 0, 0, 0, 0),
    u32(0, wideOffset ? LIMIT : headerOffset),
    encode(name),
    zip64Extra(wide),
  ]);
}

const zip64Extra = (wide: readonly number[]): Uint8Array =>
  wide.length > 0 ? concat([u16(1, 8 * wide.length), u64(...wide)]) : new Uint8Array();

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const u16 = (...values: number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [value, value >>> 8]));

const u32 = (...values: number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [value, value >>> 8, value >>> 16, value >>> 24]));

const u64 = (...values: number[]): Uint8Array =>
  u32(...values.flatMap((value) => [value % 2 ** 32, Math.floor(value / 2 ** 32)]));

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
