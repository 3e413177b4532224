/** Element types of arrays in files, and their conversion to what the engine takes (f32, i32). */
import { FormatError } from "../util/errors.ts";
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from "../util/float16.ts";

/** Bytes of one element of each type that files may hold. */
export const ELEMENT_SIZES = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f16: 2,
  bf16: 2,
  f32: 4,
  f64: 8,
} as const;

/** Name of an element type. */
export type ElementType = keyof typeof ELEMENT_SIZES;

/** An array in memory as files hold it: row-major, little-endian bytes. */
export interface HostArray {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Typed arrays that {@link hostArray} takes; their type decides the element type. */
export type HostValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Wraps values for writing; their memory is shared.
 * @throws RangeError if the shape's size is not the number of values.
 */
export function hostArray(
  values: HostValues,
  shape: readonly number[] = [values.length],
): HostArray {
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (size !== values.length)
    throw new RangeError(`shape [${shape.join(", ")}] has ${size} elements, not ${values.length}`);
  return { dtype: typeOf(values), shape, bytes: bytesOf(values) };
}

/** An array of f32 rounded to a narrower float type for writing. */
export function narrowArray(
  values: Float32Array,
  shape: readonly number[],
  dtype: "f16" | "bf16" | "f32",
): HostArray {
  return { dtype, shape, bytes: encodeFloats(values, dtype) };
}

/** Bytes of f32 values stored as the given float type. */
export function encodeFloats(values: Float32Array, dtype: "f16" | "bf16" | "f32"): Uint8Array {
  if (dtype === "f32") return bytesOf(values);
  return bytesOf(dtype === "f16" ? encodeFloat16(values) : encodeBfloat16(values));
}

/** The bytes behind a typed array, not copied. */
export const bytesOf = (values: HostValues): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Elements as f32, rounded; may share memory with the bytes. */
export function toFloats(bytes: Uint8Array, dtype: ElementType): Float32Array {
  if (dtype === "f32") return new Float32Array(...aligned(bytes, 4));
  if (dtype === "f16") return decodeFloat16(new Uint16Array(...aligned(bytes, 2)));
  if (dtype === "bf16") return decodeBfloat16(new Uint16Array(...aligned(bytes, 2)));
  const values = view(bytes, dtype);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return Float32Array.from(values, Number);
  return Float32Array.from(values);
}

/** Elements as f64, exact for every type but 64-bit integers beyond 2⁵³. */
export function toDoubles(bytes: Uint8Array, dtype: ElementType): Float64Array {
  if (dtype === "f16" || dtype === "bf16") return Float64Array.from(toFloats(bytes, dtype));
  const values = view(bytes, dtype);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return Float64Array.from(values, Number);
  return Float64Array.from(values);
}

/**
 * Elements as i32; whole numbers stored as floats are taken too.
 * @throws FormatError if one is not whole or does not fit.
 */
export function toInts(
  bytes: Uint8Array,
  dtype: ElementType,
  file: string,
  name: string,
): Int32Array {
  const doubles = toDoubles(bytes, dtype);
  const bad = doubles.findIndex((value) => value !== (value | 0));
  if (bad >= 0)
    throw new FormatError(
      file,
      `"${name}" must hold 32-bit whole numbers, but element ${bad} is ${doubles[bad] ?? "missing"}; convert it with .astype("int64")`,
    );
  return Int32Array.from(doubles);
}

/** Reverses the bytes of each element in place: big-endian to little-endian and back. */
export function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  for (let start = 0; size > 1 && start < bytes.length; start += size)
    bytes.subarray(start, start + size).reverse();
  return bytes;
}

function view(bytes: Uint8Array, dtype: Exclude<ElementType, "f16" | "bf16">): HostValues {
  switch (dtype) {
    case "bool":
    case "u8":
      return bytes;
    case "i8":
      return new Int8Array(...aligned(bytes, 1));
    case "u16":
      return new Uint16Array(...aligned(bytes, 2));
    case "i16":
      return new Int16Array(...aligned(bytes, 2));
    case "u32":
      return new Uint32Array(...aligned(bytes, 4));
    case "i32":
      return new Int32Array(...aligned(bytes, 4));
    case "u64":
      return new BigUint64Array(...aligned(bytes, 8));
    case "i64":
      return new BigInt64Array(...aligned(bytes, 8));
    case "f32":
      return new Float32Array(...aligned(bytes, 4));
    case "f64":
      return new Float64Array(...aligned(bytes, 8));
  }
}

/** Arguments of a typed array over these bytes; copies where the offset is not a multiple of the size. */
function aligned(bytes: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  const source = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return [source.buffer, source.byteOffset, Math.floor(source.byteLength / size)];
}

function typeOf(values: HostValues): ElementType {
  if (values instanceof Float32Array) return "f32";
  if (values instanceof Float64Array) return "f64";
  if (values instanceof Int8Array) return "i8";
  if (values instanceof Int16Array) return "i16";
  if (values instanceof Int32Array) return "i32";
  if (values instanceof Uint8Array) return "u8";
  if (values instanceof Uint16Array) return "u16";
  if (values instanceof Uint32Array) return "u32";
  if (values instanceof BigInt64Array) return "i64";
  return "u64";
}
