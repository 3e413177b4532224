/** Whether an engine's result is right, and how far it is off. */
import { at } from "../../src/util/shape.ts";
import { decompositionJudge } from "./decompositions.ts";
import { keptReference } from "./kept.ts";
import { reference64 } from "./reference.ts";
import type { HostInput, Work } from "./works.ts";

/** What an engine computed, by name: `y`, or `losses`, or the parts of a decomposition. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** How far results are off, in the units of {@link Work} `tolerance`. */
export type Judge = (outputs: Outputs) => number;

/** Largest |Δ| over the largest |reference|; NaN where a value is missing or not finite. */
export function relativeError(values: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (values.length !== reference.length) return Number.NaN;
  let largest = 0;
  let off = 0;
  for (let index = 0; index < reference.length; index++) {
    const delta = Math.abs(at(values, index) - at(reference, index));
    if (!(delta < Number.POSITIVE_INFINITY)) return Number.NaN;
    off = Math.max(off, delta);
    largest = Math.max(largest, Math.abs(at(reference, index)));
  }
  return off / (largest || 1);
}

/**
 * Larger of ‖A v − λ v‖ / max |λ| and |VᵀV − I|, in float64, for eigenvectors in the columns of
 * `vectors`.
 */
export function eigenError(matrix: ArrayLike<number>, outputs: Outputs): number {
  const { values, vectors } = outputs;
  if (!values || vectors?.length !== values.length ** 2) return Number.NaN;
  const size = values.length;
  const columns = Float64Array.from(vectors, (_, index) =>
    at(vectors, (index % size) * size + Math.floor(index / size)),
  ); // row j is vector j
  const a = Float64Array.from(matrix);
  const dot = (x: Float64Array, atX: number, y: Float64Array, atY: number): number => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += (x[atX + k] ?? Number.NaN) * (y[atY + k] ?? Number.NaN);
    return sum;
  };
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0) || 1;
  let residual = 0;
  let skew = 0;
  for (let j = 0; j < size; j++) {
    let square = 0;
    for (let i = 0; i < size; i++) {
      const off = dot(a, i * size, columns, j * size) - at(values, j) * at(columns, j * size + i);
      square += (off / largest) ** 2;
      skew = Math.max(
        skew,
        Math.abs(dot(columns, i * size, columns, j * size) - (i === j ? 1 : 0)),
      );
    }
    residual = Math.max(residual, Math.sqrt(square));
  }
  return Number.isNaN(residual + skew) ? Number.NaN : Math.max(residual, skew);
}

/** Rows of a large product that are compared, evenly spread: all of them would take minutes. */
const MOST_ROWS = 1024;
const CHECKED_ROWS = 16;

function productJudge(
  work: Work,
  size: number,
  inputs: Readonly<Record<string, HostInput>>,
): Judge {
  const rows = Array.from({ length: CHECKED_ROWS }, (_, k) =>
    Math.floor((k * (size - 1)) / (CHECKED_ROWS - 1)),
  );
  const some = (values: ArrayLike<number>): Float32Array =>
    Float32Array.from({ length: CHECKED_ROWS * size }, (_, index) =>
      at(values, at(rows, Math.floor(index / size)) * size + (index % size)),
    );
  const { a, b } = inputs;
  if (!a || !b) throw new RangeError("a product needs a and b");
  const left = { ...a, shape: [CHECKED_ROWS, size], values: some(a.values) };
  const expected = reference64(work, { a: left, b });
  return ({ y }) => (y?.length === size * size ? relativeError(some(y), expected) : Number.NaN);
}

/** The judge of a work; computes the float64 reference once. */
export function judgeOf(work: Work, inputs: Readonly<Record<string, HostInput>>): Judge {
  if (work.kind === "train") return ({ losses }) => relativeError(losses ?? [], work.losses);
  if (work.kind === "eigh") return (outputs) => eigenError(inputs["a"]?.values ?? [], outputs);
  if (work.kind === "decompose") return decompositionJudge(work, inputs);
  if (work.kind === "matmul" && work.size > MOST_ROWS) return productJudge(work, work.size, inputs);
  const expected = keptReference(work, inputs, () => reference64(work, inputs));
  return ({ y }) => relativeError(y ?? [], expected);
}
