/** numpy's .npz: a zip archive of .npy members. Members are written stored, so that rows stream. */
import { FormatError } from "../util/errors.ts";
import type { HostArray } from "./element.ts";
import { npyHeader, openNpy } from "./npy.ts";
import { isTorchArchive, pickleError } from "./pickle.ts";
import { bytesRange, memorySink, type ByteRange, type ByteSink } from "./range.ts";
import type { ArrayStore, StoredArray } from "./store.ts";
import { layoutBytes, regionWriter, type ArrayLayout, type ArrayWriter } from "./writer.ts";
import { zipDirectory, zipLocalHeader, type ZipEntry } from "./zip-write.ts";
import { openMember, readZip } from "./zip.ts";
import { crc32 } from "./crc32.ts";

/** The member that holds string metadata as JSON; numpy shows it as raw bytes. */
const METADATA = "metadata.json";

/**
 * Opens an .npz; nothing but its directory is read.
 * @throws FormatError if it is no zip archive or holds no .npy member.
 */
export async function openNpz(range: ByteRange, file: string): Promise<ArrayStore> {
  const members = await readZip(range, file);
  const arrays = new Map(
    members.flatMap((member) =>
      member.name.endsWith(".npy") ? [[member.name.slice(0, -4), member] as const] : [],
    ),
  );
  if (isTorchArchive(members.map(({ name }) => name))) throw pickleError(file, true);
  if (arrays.size === 0)
    throw new FormatError(file, `holds no arrays; save them with numpy.savez(file, features=…)`);
  const opened = new Map<string, StoredArray>();
  const metadata = members.find(({ name }) => name === METADATA);
  return {
    file,
    names: [...arrays.keys()],
    metadata: metadata
      ? parseMetadata(await readAll(await openMember(range, metadata, file)), file)
      : {},
    async find(name) {
      const member = arrays.get(name);
      if (member === undefined) return null;
      const array =
        opened.get(name) ?? (await openNpy(await openMember(range, member, file), file, name));
      opened.set(name, array);
      return array;
    },
    close: () => range.close(),
  };
}

/** {@link openNpz} over bytes in memory. */
export const parseNpz = (bytes: Uint8Array, file = "arrays.npz"): Promise<ArrayStore> =>
  openNpz(bytesRange(bytes), file);

/** Bytes of the whole archive and a writer that fills it. */
export async function npzWriter(
  layouts: readonly ArrayLayout[],
  metadata: Readonly<Record<string, string>>,
  openSink: (size: number) => ByteSink | Promise<ByteSink>,
): Promise<ArrayWriter> {
  const notes = new TextEncoder().encode(JSON.stringify(metadata));
  const hasNotes = Object.keys(metadata).length > 0;
  const headers = new Map(
    layouts.map((layout) => [layout.name, npyHeader(layout.dtype, layout.shape)]),
  );
  const sizes: [string, number][] = layouts.map((layout) => [
    `${layout.name}.npy`,
    (headers.get(layout.name)?.length ?? 0) + layoutBytes(layout),
  ]);
  if (hasNotes) sizes.push([METADATA, notes.length]);
  const entries = placeMembers(sizes);
  const crcs = new Map<string, number>([[METADATA, crc32(notes)]]);
  for (const [name, header] of headers) crcs.set(`${name}.npy`, crc32(header));
  const last = entries.at(-1);
  const end = last ? last.headerOffset + zipLocalHeader(last).length + last.size : 0;
  const sink = await openSink(end + zipDirectory(entries, end).length);
  const regions = layouts.map((layout, index) => {
    const { headerOffset, size } = entries[index] ?? { headerOffset: 0, size: 0 };
    const local = entries[index] ? zipLocalHeader(entries[index]).length : 0;
    return { layout, start: headerOffset + local + size - layoutBytes(layout) };
  });
  return regionWriter(sink, regions, {
    onAppend: (name, bytes) => crcs.set(`${name}.npy`, crc32(bytes, crcs.get(`${name}.npy`))),
    seal: async () => {
      // Checksums are known only now, so the headers go in last.
      const sealed = entries.map((entry) => ({ ...entry, crc: crcs.get(entry.name) ?? 0 }));
      for (const entry of sealed) {
        const local = zipLocalHeader(entry);
        const content = entry.name === METADATA ? notes : headers.get(entry.name.slice(0, -4));
        await sink.write(entry.headerOffset, local);
        if (content) await sink.write(entry.headerOffset + local.length, content);
      }
      await sink.write(end, zipDirectory(sealed, end));
    },
  });
}

/** The bytes of an .npz file. */
export async function serialiseNpz(
  arrays: Readonly<Record<string, HostArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const layouts = Object.entries(arrays).map(([name, array]) => ({ name, ...array }));
  let sink = memorySink(0);
  const writer = await npzWriter(layouts, metadata, (size) => (sink = memorySink(size)));
  for (const { name, bytes } of layouts) await writer.append(name, bytes);
  await writer.finish();
  return sink.bytes;
}

function placeMembers(sizes: readonly (readonly [string, number])[]): ZipEntry[] {
  let headerOffset = 0;
  return sizes.map(([name, size]) => {
    const entry = { name, size, crc: 0, headerOffset };
    headerOffset += zipLocalHeader(entry).length + size;
    return entry;
  });
}

const readAll = (range: ByteRange): Promise<Uint8Array> => range.read(0, range.size);

function parseMetadata(bytes: Uint8Array, file: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Object.fromEntries(
      Object.entries(parsed ?? {}).map(([key, value]) => [key, String(value)]),
    );
  } catch (cause) {
    throw new FormatError(file, `"${METADATA}" is not JSON`, { cause });
  }
}
