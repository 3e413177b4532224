/** The IDX format of MNIST's files: 0, 0, element type, axes; sizes (big-endian); elements. */
import { gunzip, readBytes } from "#platform";
import { DataError, FormatError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";

/** An array of unsigned bytes. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

const UNSIGNED_BYTE = 8;

/** A page may find that the server has unpacked the file already, so the bytes decide. */
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Reads an IDX file, gzipped or not.
 * @throws DataError if it cannot be read.
 * @throws FormatError if it is broken, or does not have that many axes.
 */
export async function readIdx(path: string, axes: number): Promise<IdxArray> {
  const bytes = await readBytes(path);
  if (!isGzip(bytes)) return parseIdx(bytes, path, axes);
  const unpacked = await gunzip(bytes).catch((cause: unknown) => {
    throw new FormatError(path, "is damaged and cannot be unpacked; fetch it again", { cause });
  });
  return parseIdx(unpacked, path, axes);
}

/**
 * Parses IDX of unsigned bytes.
 * @throws FormatError if a rule of the format is broken, or the number of axes is another.
 */
export function parseIdx(bytes: Uint8Array, file: string, axes: number): IdxArray {
  const [zero, zero2, type, found] = bytes;
  if (bytes.length < 4 || zero !== 0 || zero2 !== 0)
    throw new FormatError(file, "is no IDX file: it does not start with two zero bytes");
  if (type !== UNSIGNED_BYTE)
    throw new FormatError(file, `holds elements of type ${type ?? "?"}; images need type 8 (u8)`);
  if (found !== axes)
    throw new FormatError(
      file,
      `has ${found ?? 0} axes where ${axes} are due; are images and labels exchanged?`,
    );
  const start = 4 + 4 * axes;
  if (bytes.length < start) throw new FormatError(file, "is cut short; fetch it again");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (bytes.length - start !== sizeOf(shape))
    throw new FormatError(
      file,
      `[${shape.join(", ")}] needs ${sizeOf(shape)} bytes but ${bytes.length - start} follow; fetch it again`,
    );
  return { shape, values: bytes.subarray(start) };
}

/**
 * Images and their labels.
 * @throws DataError if their counts differ.
 */
export async function readIdxPair(
  imagePath: string,
  labelPath: string,
): Promise<{ images: IdxArray; labels: Int32Array }> {
  const [images, labels] = await Promise.all([readIdx(imagePath, 3), readIdx(labelPath, 1)]);
  if (images.shape[0] !== labels.shape[0])
    throw new DataError(
      `${imagePath}: ${images.shape[0] ?? 0} images, but ${labels.shape[0] ?? 0} labels in ${labelPath}; fetch both again`,
    );
  return { images, labels: Int32Array.from(labels.values) };
}
