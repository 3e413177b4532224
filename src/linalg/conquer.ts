/**
 * Divide & conquer for symmetric tridiagonal matrices, the host's part: O(n²) per merge, in
 * float64. The products of eigenvector matrices, which are O(n³), are left to the GPU.
 */
import { get } from "./float64.ts";
import { rootValue, secularRoots, secularVectors } from "./secular.ts";
import type { RankOne } from "./secular.ts";

/** What a merge must know of a half: eigenvalues, and the eigenvector matrix's first and last row. */
export interface Half {
  readonly values: Float64Array;
  readonly first: Float64Array;
  readonly last: Float64Array;
}

/** The merged half; its eigenvectors are blockdiag(left, right) · factor. */
export interface Merged extends Half {
  /** [n, n], row-major; columns in descending order of the eigenvalues. */
  readonly factor: Float64Array;
}

/** Couplings below this part of the norm are cut: far below f32's rounding of the input. */
const DEFLATION = 1e-11;

/** Columns `a` and `b` were combined as (c·a + s·b, c·b − s·a). */
interface Rotation {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly s: number;
}

/** Which columns still interact; `values` and `z` in the original order. */
interface Deflated {
  readonly survivors: number[];
  readonly settled: number[];
  readonly rotations: Rotation[];
  readonly values: Float64Array;
  readonly z: Float64Array;
}

/** Sets aside columns with no weight, and one of each pair of equal values after rotating its weight away. */
function deflate(values: Float64Array, z: Float64Array, rho: number): Deflated {
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const tolerance = DEFLATION * (largest + rho);
  const order = Array.from(values.keys()).sort((i, j) => get(values, i) - get(values, j));
  const survivors: number[] = [];
  const settled: number[] = [];
  const rotations: Rotation[] = [];
  for (const b of order) {
    if (rho * Math.abs(get(z, b)) <= tolerance) {
      settled.push(b);
      continue;
    }
    const a = survivors.at(-1);
    if (a !== undefined) {
      const length = Math.hypot(get(z, a), get(z, b));
      const c = get(z, b) / length;
      const s = -get(z, a) / length;
      const da = get(values, a);
      const db = get(values, b);
      if (Math.abs((db - da) * c * s) <= tolerance) {
        z[b] = length;
        z[a] = 0;
        values[a] = da * c * c + db * s * s;
        values[b] = da * s * s + db * c * c;
        rotations.push({ a, b, c, s });
        survivors.pop();
        settled.push(a);
      }
    }
    survivors.push(b);
  }
  return { survivors, settled, rotations, values, z };
}

/** Columns of the factor before the rotations: secular vectors and unit vectors, by eigenvalue. */
function factorColumns(
  deflated: Deflated,
  rho: number,
): { values: Float64Array; factor: Float64Array } {
  const { survivors, settled, values, z } = deflated;
  const n = values.length;
  const size = survivors.length;
  const pick = (list: Float64Array): Float64Array =>
    Float64Array.from(survivors, (index) => get(list, index));
  const system: RankOne = { d: pick(values), z: pick(z), rho };
  const roots = secularRoots(system);
  const vectors = secularVectors(system, roots);
  const columns = [
    ...survivors.map((_, j) => ({ value: rootValue(system, roots, j), row: -1, j })),
    ...settled.map((row) => ({ value: get(values, row), row, j: -1 })),
  ].sort((one, other) => other.value - one.value);
  const factor = new Float64Array(n * n);
  const places = new Int32Array(size); // column of each secular vector
  columns.forEach(({ row, j }, column) => {
    if (row >= 0) factor[row * n + column] = 1;
    else places[j] = column;
  });
  for (const [i, survivor] of survivors.entries())
    for (let j = 0; j < size; j++)
      factor[survivor * n + (places[j] ?? -1)] = get(vectors, i * size + j);
  return { values: Float64Array.from(columns, ({ value }) => value), factor };
}

/** factor ← rotations · factor; the last rotation was made on the columns nearest to it. */
function applyRotations(rotations: readonly Rotation[], factor: Float64Array, n: number): void {
  for (const { a, b, c, s } of rotations.toReversed())
    for (let column = 0; column < n; column++) {
      const x = get(factor, a * n + column);
      const y = get(factor, b * n + column);
      factor[a * n + column] = c * x - s * y;
      factor[b * n + column] = s * x + c * y;
    }
}

/** row · factor[from…from + row.length, :] */
function rowTimes(row: Float64Array, factor: Float64Array, from: number, n: number): Float64Array {
  const product = new Float64Array(n);
  for (let i = 0; i < row.length; i++) {
    const weight = get(row, i);
    const base = (from + i) * n;
    for (let column = 0; column < n; column++)
      product[column] = get(product, column) + weight * get(factor, base + column);
  }
  return product;
}

/**
 * Joins two halves that `coupling` (the off-diagonal element between them) tied together. Both
 * halves must have been solved with |coupling| taken off the diagonal elements next to the cut.
 */
export function merge(left: Half, right: Half, coupling: number): Merged {
  const cut = left.values.length;
  const n = cut + right.values.length;
  const joined = new Float64Array(n);
  joined.set(left.values);
  joined.set(right.values, cut);
  // T = blockdiag + |β| u uᵀ with u = (…0, 1, sign β, 0…): z = Qᵀ u, of length √2; ρ z zᵀ keeps it 1.
  const sign = coupling < 0 ? -1 : 1;
  const z = new Float64Array(n);
  z.set(left.last.map((value) => value * Math.SQRT1_2));
  z.set(
    right.first.map((value) => sign * value * Math.SQRT1_2),
    cut,
  );
  const rho = 2 * Math.abs(coupling);
  const deflated = deflate(joined, z, rho);
  const { values, factor } = factorColumns(deflated, rho);
  applyRotations(deflated.rotations, factor, n);
  return {
    values,
    factor,
    first: rowTimes(left.first, factor, 0, n),
    last: rowTimes(right.last, factor, cut, n),
  };
}
