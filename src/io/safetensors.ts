/**
 * The safetensors format:
 * 1. 8 bytes: the header's length, unsigned, little-endian, at most 100,000,000;
 * 2. the header: a JSON object in UTF-8 that starts with `{` and may end with spaces;
 * 3. each key names a tensor `{ dtype, shape, data_offsets: [begin, end] }`, no key twice;
 * 4. `__metadata__` maps strings to strings;
 * 5. offsets count from the header's end; the tensors cover all bytes after it, no gap, no overlap;
 * 6. elements are row-major and little-endian.
 */
import { FormatError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import { ELEMENT_SIZES, type ElementType, type HostArray } from "./element.ts";
import { hasDuplicateKey, isRecord, isStringRecord } from "./json.ts";
import { bytesRange, memorySink, readExactly, type ByteRange, type ByteSink } from "./range.ts";
import type { ArrayStore, StoredArray } from "./store.ts";
import { layoutBytes, regionWriter, type ArrayLayout, type ArrayWriter } from "./writer.ts";

const HEADER_CAP = 100_000_000;
const ALIGNMENT = 8; // elements start at a multiple of this in files that we write

const DTYPES: Readonly<Record<string, ElementType>> = {
  BOOL: "bool",
  U8: "u8",
  I8: "i8",
  U16: "u16",
  I16: "i16",
  U32: "u32",
  I32: "i32",
  U64: "u64",
  I64: "i64",
  F16: "f16",
  BF16: "bf16",
  F32: "f32",
  F64: "f64",
};

/**
 * Opens a safetensors file; only its header is read.
 * @throws FormatError naming the first rule that is broken.
 */
export async function openSafetensors(range: ByteRange, file: string): Promise<ArrayStore> {
  const { header, start } = await readHeader(range, file);
  const { __metadata__: metadata = {}, ...tensors } = header;
  if (!isStringRecord(metadata))
    throw new FormatError(file, `__metadata__ must map strings to strings`);
  const arrays = new Map(
    Object.entries(tensors).map(([name, entry]) => [name, parseEntry(name, entry, file)]),
  );
  checkCoverage([...arrays.values()], range.size - start, file);
  const stored = new Map<string, StoredArray>();
  for (const [name, { dtype, shape, begin }] of arrays) {
    const place = { range, offset: start + begin, fortran: false, bigEndian: false };
    stored.set(name, { file, name, dtype, shape, ...place });
  }
  return {
    file,
    names: [...stored.keys()],
    metadata,
    find: (name) => Promise.resolve(stored.get(name) ?? null),
    close: () => range.close(),
  };
}

/** {@link openSafetensors} over bytes in memory. */
export const parseSafetensors = (bytes: Uint8Array, file = "tensors"): Promise<ArrayStore> =>
  openSafetensors(bytesRange(bytes), file);

/** A writer that fills a safetensors file piece by piece. */
export async function safetensorsWriter(
  layouts: readonly ArrayLayout[],
  metadata: Readonly<Record<string, string>>,
  openSink: (size: number) => ByteSink | Promise<ByteSink>,
): Promise<ArrayWriter> {
  // Wide elements first, so that each tensor is aligned to its element; then by name.
  const order = [...layouts].sort(
    (a, b) => ELEMENT_SIZES[b.dtype] - ELEMENT_SIZES[a.dtype] || (a.name < b.name ? -1 : 1),
  );
  let end = 0;
  const places = order.map((layout) => ({ layout, begin: end, end: (end += layoutBytes(layout)) }));
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header["__metadata__"] = metadata;
  for (const place of places) {
    const { name, dtype, shape } = place.layout;
    header[name] = { dtype: dtype.toUpperCase(), shape, data_offsets: [place.begin, place.end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((8 + json.length) / ALIGNMENT) * ALIGNMENT;
  const head = new Uint8Array(start).fill(" ".charCodeAt(0), 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(start - 8), true);
  head.set(json, 8);
  const sink = await openSink(start + end);
  await sink.write(0, head);
  return regionWriter(
    sink,
    places.map(({ layout, begin }) => ({ layout, start: start + begin })),
  );
}

/** The bytes of a safetensors file. */
export async function serialiseSafetensors(
  arrays: Readonly<Record<string, HostArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const layouts = Object.entries(arrays).map(([name, array]) => ({ name, ...array }));
  let sink = memorySink(0);
  const writer = await safetensorsWriter(layouts, metadata, (size) => (sink = memorySink(size)));
  for (const { name, bytes } of layouts) await writer.append(name, bytes);
  await writer.finish();
  return sink.bytes;
}

interface Entry {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

async function readHeader(
  range: ByteRange,
  file: string,
): Promise<{ header: Record<string, unknown>; start: number }> {
  const prefix = await readExactly(range, 0, 8, file);
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(HEADER_CAP))
    throw new FormatError(
      file,
      `is no safetensors file: its header would take ${length.toString()} bytes, above the cap of ${HEADER_CAP}`,
    );
  const bytes = await readExactly(range, 8, Number(length), file);
  if (bytes[0] !== "{".charCodeAt(0))
    throw new FormatError(file, `is no safetensors file: its header does not start with {`);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(file, `its header is not UTF-8; the file is damaged`, { cause });
  }
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(file, `its header is not JSON; the file is damaged`, { cause });
  }
  const twice = hasDuplicateKey(text);
  if (twice !== null) throw new FormatError(file, `holds "${twice}" twice; make it again`);
  if (!isRecord(header)) throw new FormatError(file, `its header is not a JSON object`);
  return { header, start: 8 + bytes.length };
}

function parseEntry(name: string, entry: unknown, file: string): Entry {
  const { dtype: code, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const isWhole = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0;
  const dtype = typeof code === "string" ? DTYPES[code] : undefined;
  if (dtype === undefined)
    throw new FormatError(
      file,
      `"${name}" has dtype ${String(code)}, which is not read; convert it to F32`,
    );
  if (!Array.isArray(shape) || !shape.every(isWhole))
    throw new FormatError(file, `"${name}" has a shape that is no list of sizes`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isWhole))
    throw new FormatError(file, `"${name}" has data_offsets that are no two offsets`);
  const [begin = 0, end = 0] = offsets;
  const wanted = sizeOf(shape) * ELEMENT_SIZES[dtype];
  if (end - begin !== wanted)
    throw new FormatError(
      file,
      `"${name}" [${shape.join(", ")}] of ${dtype} needs ${wanted} bytes, but its data_offsets span ${end - begin}`,
    );
  return { name, dtype, shape, begin, end };
}

/** Rule 5. */
function checkCoverage(entries: readonly Entry[], size: number, file: string): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end)
      throw new FormatError(
        file,
        `"${entry.name}" starts at byte ${entry.begin} where ${end} was due: tensors overlap or leave a gap`,
      );
    end = entry.end;
  }
  if (end > size)
    throw new FormatError(file, `is cut short: ${size} of ${end} bytes; copy or make it again`);
  if (end < size) throw new FormatError(file, `has ${size - end} bytes that belong to no tensor`);
}
