/** Opens a file of arrays by what its first bytes say it is, and writes one by its name's ending. */
import { openRange, writeAtomic } from "#platform";
import { FormatError, UsageError } from "../util/errors.ts";
import type { HostArray } from "./element.ts";
import { openNpy } from "./npy.ts";
import { openNpz, serialiseNpz } from "./npz.ts";
import { isPickle, isPickleName, pickleError } from "./pickle.ts";
import type { ByteRange } from "./range.ts";
import { openSafetensors, serialiseSafetensors } from "./safetensors.ts";
import type { ArrayStore } from "./store.ts";

/**
 * Opens .npz, .npy (one array, named `features`) or .safetensors for reads of single arrays or rows.
 * @throws DataError if the file cannot be read.
 * @throws FormatError if it is none of these, or broken.
 */
export async function openArrays(path: string): Promise<ArrayStore> {
  const range = await openRange(path);
  try {
    return await openStore(range, path);
  } catch (error) {
    await range.close();
    throw error;
  }
}

/**
 * Writes named arrays as .npz or .safetensors, whole or not at all.
 * @throws UsageError if the name ends otherwise.
 * @throws DataError if the file cannot be written.
 */
export async function storeArrays(
  path: string,
  arrays: Readonly<Record<string, HostArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const serialise = formatOf(path) === "npz" ? serialiseNpz : serialiseSafetensors;
  await writeAtomic(path, await serialise(arrays, metadata));
}

/**
 * The format that a file's name asks for.
 * @throws UsageError if it is none that can be written.
 */
export function formatOf(path: string): "npz" | "safetensors" {
  if (path.endsWith(".npz")) return "npz";
  if (path.endsWith(".safetensors")) return "safetensors";
  throw new UsageError(`${path}: name it .npz or .safetensors, the formats that are written`);
}

async function openStore(range: ByteRange, file: string): Promise<ArrayStore> {
  if (range.size === 0) throw new FormatError(file, "is empty; make it again");
  const head = await range.read(0, Math.min(9, range.size));
  const [first, second] = head;
  if (first === 0x50 && second === 0x4b) return openNpz(range, file);
  if (isPickle(head) || (first !== 0x93 && isPickleName(file))) throw pickleError(file);
  if (first !== 0x93) {
    if (/\.np[yz]$/.test(file))
      throw new FormatError(file, "does not start as numpy's files do; save it with numpy.savez");
    return openSafetensors(range, file);
  }
  const array = await openNpy(range, file, "features");
  return {
    file,
    names: [array.name],
    metadata: {},
    find: (name) => Promise.resolve(name === array.name ? array : null),
    close: () => range.close(),
  };
}
