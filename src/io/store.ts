/** Named arrays in a file, read whole or by rows; npy, npz and safetensors all look like this. */
import { FormatError } from "../util/errors.ts";
import { at, sizeOf, stridesOf } from "../util/shape.ts";
import {
  ELEMENT_SIZES,
  swapBytes,
  toDoubles,
  toFloats,
  toInts,
  type ElementType,
} from "./element.ts";
import { readExactly, type ByteRange } from "./range.ts";

/** An array in a file. Its bytes are `range` from `offset` on. */
export interface StoredArray {
  readonly file: string;
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly fortran: boolean;
  readonly bigEndian: boolean;
  readonly range: ByteRange;
  readonly offset: number;
}

/** A file of named arrays. */
export interface ArrayStore {
  readonly file: string;
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** The array of that name, or null. */
  find(name: string): Promise<StoredArray | null>;
  close(): Promise<void>;
}

/** All elements as f32 in row-major order. */
export async function loadFloats(array: StoredArray): Promise<Float32Array> {
  const values = await floatsOf(array, 0, sizeOf(array.shape));
  return array.fortran ? toRowMajor(values, array.shape, new Float32Array(values.length)) : values;
}

/** All elements as f64 in row-major order. */
export async function loadDoubles(array: StoredArray): Promise<Float64Array> {
  const values = toDoubles(await loadBytes(array, 0, sizeOf(array.shape)), array.dtype);
  return array.fortran ? toRowMajor(values, array.shape, new Float64Array(values.length)) : values;
}

/** All elements as i32 in row-major order. */
export async function loadInts(array: StoredArray): Promise<Int32Array> {
  const bytes = await loadBytes(array, 0, sizeOf(array.shape));
  const values = toInts(bytes, array.dtype, array.file, array.name);
  return array.fortran ? toRowMajor(values, array.shape, new Int32Array(values.length)) : values;
}

/**
 * Rows `start` to `start + count` of a matrix as f32, without reading the others.
 * @throws FormatError if the array is not a matrix or has fewer rows.
 */
export async function loadRows(
  array: StoredArray,
  start: number,
  count: number,
): Promise<Float32Array> {
  const [rows = 0, columns = 0] = array.shape;
  if (array.shape.length !== 2 || start < 0 || start + count > rows)
    throw new FormatError(
      array.file,
      `"${array.name}" [${array.shape.join(", ")}] has no rows ${start}…${start + count - 1}`,
    );
  if (!array.fortran) return floatsOf(array, start * columns, count * columns);
  // Fortran order keeps each column together: one read per column, spread over the rows.
  const block = new Float32Array(count * columns);
  const strips = Array.from({ length: columns }, async (_, column) => {
    const strip = await floatsOf(array, column * rows + start, count);
    strip.forEach((value, row) => (block[row * columns + column] = value));
  });
  await Promise.all(strips);
  return block;
}

/**
 * `count` elements from element `start` on as f32.
 * @throws FormatError if one is finite but beyond f32's range.
 */
async function floatsOf(array: StoredArray, start: number, count: number): Promise<Float32Array> {
  const bytes = await loadBytes(array, start, count);
  const values = toFloats(bytes, array.dtype);
  if (array.dtype !== "f64") return values;
  if (values.every((value) => Math.abs(value) !== Infinity)) return values;
  const doubles = toDoubles(bytes, array.dtype);
  const bad = doubles.findIndex(
    (value, index) => Number.isFinite(value) && !Number.isFinite(values[index]),
  );
  if (bad >= 0) throw beyondFloat(array, start + bad, at(doubles, bad));
  return values;
}

function beyondFloat(
  { file, name, shape, fortran }: StoredArray,
  index: number,
  value: number,
): FormatError {
  const [rows = 1, columns = 1] = shape;
  const [row, column] = fortran
    ? [index % rows, Math.floor(index / rows)]
    : [Math.floor(index / columns), index % columns];
  const place = shape.length === 2 ? `row ${row}, column ${column}` : `element ${index}`;
  return new FormatError(
    file,
    `"${name}" holds ${value} in ${place}, beyond 3.4e38, the largest f32; drop that row or scale the values down`,
  );
}

/** `count` elements from element `start` on, as stored but little-endian. */
async function loadBytes(array: StoredArray, start: number, count: number): Promise<Uint8Array> {
  const size = ELEMENT_SIZES[array.dtype];
  const bytes = await readExactly(
    array.range,
    array.offset + start * size,
    count * size,
    array.file,
  );
  return array.bigEndian ? swapBytes(bytes, size) : bytes;
}

/** Fills `out` with the row-major order of values stored first axis fastest. */
function toRowMajor<T extends Float32Array | Float64Array | Int32Array>(
  values: T,
  shape: readonly number[],
  out: T,
): T {
  const strides = stridesOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (const value of values) {
    out[index.reduce((total, i, axis) => total + i * at(strides, axis), 0)] = value;
    for (let axis = 0; axis < shape.length; axis++) {
      const next = at(index, axis) + 1;
      index[axis] = next < at(shape, axis) ? next : 0;
      if (next < at(shape, axis)) break;
    }
  }
  return out;
}
