/** Eigen-decompositions of covariances, and the choices that read off the spectrum. */
import type { Engine } from "../engine/index.ts";
import { eighHost } from "../linalg/index.ts";
import { at } from "../util/shape.ts";
import type { NamedArray } from "./score.ts";

/** Eigenvalues, largest first, and eigenvectors as columns. */
export interface Spectrum {
  readonly values: Float64Array; // [D]
  readonly vectors: NamedArray; // [D, D]
}

/** Relative gap below which two eigenvalues count as equal in f32. */
const TIE = 1e-5;
/** Eigenvalues this far below the largest are rounding of f32 features: their directions are arbitrary. */
const NOTHING = 1e-12;

/** The spectrum of a symmetric matrix [D · D] given in float64. */
export async function spectrum(
  engine: Engine,
  matrix: Float64Array,
  dim: number,
): Promise<Spectrum> {
  return engine.scope(async () => {
    const { values, vectors } = await eighHost(engine, matrix, dim);
    return { values, vectors: { shape: [dim, dim], values: await vectors.floats() } };
  });
}

/** Cumulative share of the variance that the first 1 … D directions explain. */
export function explainedVariance(values: Float64Array): Float64Array {
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  let running = 0;
  return values.map((value) => (running += Math.max(0, value)) / total);
}

/** The smallest d below D whose first d directions explain at least `share` of the variance. */
export function dimForVariance(values: Float64Array, share: number): number {
  const found = explainedVariance(values).findIndex((explained) => explained >= share);
  return Math.max(1, Math.min(found < 0 ? values.length : found + 1, values.length - 1));
}

/** True when direction `dim` and the next explain the same variance, so that the cut between is arbitrary. */
export function isTied(values: Float64Array, dim: number): boolean {
  if (dim >= values.length) return false;
  const last = at(values, dim - 1);
  return last - at(values, dim) <= TIE * last || last <= NOTHING * at(values, 0);
}

/** How many eigenvalues exceed `rcond` · λmax. */
export const rankOf = (values: Float64Array, rcond: number): number =>
  values.filter((value) => value > 0 && value > rcond * at(values, 0)).length;

/** Columns start … end of a matrix [R, C]. */
export function columns({ shape, values }: NamedArray, start: number, end: number): NamedArray {
  const rows = at(shape, 0);
  const width = at(shape, 1);
  const kept = end - start;
  const part = new Float32Array(rows * kept);
  for (let row = 0; row < rows; row++)
    part.set(values.subarray(row * width + start, row * width + end), row * kept);
  return { shape: [rows, kept], values: part };
}

/** Columns of a matrix [R, C], each times its factor. */
export function scaleColumns({ shape, values }: NamedArray, factors: Float64Array): NamedArray {
  const width = at(shape, 1);
  return { shape, values: values.map((value, index) => value * at(factors, index % width)) };
}
