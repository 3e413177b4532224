/** numpy's .npy: magic, version, header (a Python dict), elements. Reads versions 1–3, writes 1. */
import { FormatError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import { ELEMENT_SIZES, type ElementType, type HostArray } from "./element.ts";
import { bytesRange, readExactly, type ByteRange } from "./range.ts";
import type { StoredArray } from "./store.ts";

const MAGIC = "\x93NUMPY";
const HEADER_CAP = 65_536; // numpy itself refuses headers above 10,000 characters
const ALIGNMENT = 64; // numpy pads so that the elements start at a multiple of this

const DESCRIPTIONS: Readonly<Record<string, ElementType>> = {
  b1: "bool",
  u1: "u8",
  u2: "u16",
  u4: "u32",
  u8: "u64",
  i1: "i8",
  i2: "i16",
  i4: "i32",
  i8: "i64",
  f2: "f16",
  f4: "f32",
  f8: "f64",
};

/**
 * The array in a range that holds one whole .npy.
 * @throws FormatError if a rule of the format is broken, or the elements are not plain numbers.
 */
export async function openNpy(range: ByteRange, file: string, name: string): Promise<StoredArray> {
  const start = await readExactly(range, 0, 10, file);
  if (String.fromCharCode(...start.subarray(0, 6)) !== MAGIC)
    throw new FormatError(file, `is no .npy: it does not start with \\x93NUMPY`);
  const major = start[6] ?? 0;
  if (major < 1 || major > 3)
    throw new FormatError(file, `.npy version ${major} is unknown; save it with numpy.save`);
  const prefix = major === 1 ? 10 : 12;
  const lengthBytes = await readExactly(range, 8, prefix - 8, file);
  const lengthView = new DataView(lengthBytes.buffer, lengthBytes.byteOffset);
  const length = major === 1 ? lengthView.getUint16(0, true) : lengthView.getUint32(0, true);
  if (length > HEADER_CAP)
    throw new FormatError(file, `.npy header of ${length} bytes is above the cap of ${HEADER_CAP}`);
  const header = new TextDecoder().decode(await readExactly(range, prefix, length, file));
  const parsed = parseHeader(header, file);
  const offset = prefix + length;
  const wanted = sizeOf(parsed.shape) * ELEMENT_SIZES[parsed.dtype];
  if (range.size - offset !== wanted)
    throw new FormatError(
      file,
      `"${name}" [${parsed.shape.join(", ")}] of ${parsed.dtype} needs ${wanted} bytes but ${range.size - offset} follow; the file is cut short or damaged, make it again`,
    );
  return { file, name, ...parsed, range, offset };
}

/** {@link openNpy} over bytes in memory. */
export const parseNpy = (bytes: Uint8Array, file = "array.npy"): Promise<StoredArray> =>
  openNpy(bytesRange(bytes), file, "array");

/** What precedes the elements of an array in C order. */
export function npyHeader(dtype: ElementType, shape: readonly number[]): Uint8Array {
  const code = Object.entries(DESCRIPTIONS).find(([, type]) => type === dtype)?.[0];
  if (code === undefined)
    throw new FormatError(".npy", `cannot hold ${dtype}; write .safetensors, or f32`);
  const order = ELEMENT_SIZES[dtype] === 1 ? "|" : "<";
  const sizes = shape.length === 1 ? `${shape.join()},` : shape.join(", ");
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + dict.length + 1) / ALIGNMENT) * ALIGNMENT - 10;
  const bytes = new Uint8Array(10 + length);
  const text = `${MAGIC}\x01\x00${String.fromCharCode(length & 255, length >> 8)}${dict.padEnd(length - 1)}\n`;
  bytes.forEach((_, index) => (bytes[index] = text.charCodeAt(index)));
  return bytes;
}

/** The bytes of a .npy file. */
export function serialiseNpy(array: HostArray): Uint8Array {
  const header = npyHeader(array.dtype, array.shape);
  const bytes = new Uint8Array(header.length + array.bytes.length);
  bytes.set(header);
  bytes.set(array.bytes, header.length);
  return bytes;
}

function parseHeader(
  header: string,
  file: string,
): Pick<StoredArray, "dtype" | "shape" | "fortran" | "bigEndian"> {
  const description = /'descr'\s*:\s*'([<>|=]?)([A-Za-z]\d*)'/.exec(header);
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(header)?.[1];
  if (description === null || fortran === undefined || shape === undefined)
    throw new FormatError(
      file,
      `.npy header needs descr, fortran_order and shape of a plain array; got ${header.trim().slice(0, 120)}`,
    );
  const code = description[2] ?? "";
  const dtype = DESCRIPTIONS[code];
  if (dtype === undefined)
    throw new FormatError(
      file,
      `element type "${code}" is not a real number; convert it with .astype("float32")`,
    );
  const sizes = shape
    .split(",")
    .flatMap((size) => (size.trim() === "" ? [] : [parseInt(size, 10)]));
  return { dtype, shape: sizes, fortran: fortran === "True", bigEndian: description[1] === ">" };
}
