/** Eigenpairs of a small symmetric tridiagonal matrix by the implicit QL algorithm, in float64. */
import { NoConvergenceError } from "../util/errors.ts";
import { EPSILON, get } from "./float64.ts";

/** Sweeps per eigenvalue before giving up; 2 is usual. */
const MAX_SWEEPS = 60;

/** Eigenpairs in no particular order; `vectors` is [n, n], row-major, its columns belong to `values`. */
export interface Pairs {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** First index ≥ `start` whose coupling to the next row is negligible. */
function blockEnd(d: Float64Array, e: Float64Array, start: number): number {
  let end = start;
  while (end < d.length - 1) {
    const scale = Math.abs(get(d, end)) + Math.abs(get(d, end + 1));
    if (Math.abs(get(e, end)) <= EPSILON * scale) break;
    end++;
  }
  return end;
}

/** Rotates columns `column` and `column + 1` of the vectors. */
function rotate(vectors: Float64Array, n: number, column: number, c: number, s: number): void {
  for (let row = 0; row < n; row++) {
    const index = row * n + column;
    const left = get(vectors, index);
    const right = get(vectors, index + 1);
    vectors[index + 1] = s * left + c * right;
    vectors[index] = c * left - s * right;
  }
}

/** One QL sweep with Wilkinson's shift over rows `start`…`end`. */
function sweep(
  d: Float64Array,
  e: Float64Array,
  vectors: Float64Array,
  start: number,
  end: number,
) {
  const n = d.length;
  const slope = (get(d, start + 1) - get(d, start)) / (2 * get(e, start));
  const root = Math.hypot(slope, 1);
  let g = get(d, end) - get(d, start) + get(e, start) / (slope + (slope < 0 ? -root : root));
  let s = 1;
  let c = 1;
  let shift = 0;
  for (let row = end - 1; row >= start; row--) {
    const f = s * get(e, row);
    const b = c * get(e, row);
    const r = Math.hypot(f, g);
    e[row + 1] = r;
    if (r === 0) {
      // The matrix splits here: undo the shift and let the caller find the smaller blocks.
      d[row + 1] = get(d, row + 1) - shift;
      e[end] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    const raised = get(d, row + 1) - shift;
    const t = (get(d, row) - raised) * s + 2 * c * b;
    shift = s * t;
    d[row + 1] = raised + shift;
    g = c * t - b;
    rotate(vectors, n, row, c, s);
  }
  d[start] = get(d, start) - shift;
  e[start] = g;
  e[end] = 0;
}

/**
 * Eigenpairs of the tridiagonal matrix with this diagonal [n] and off-diagonal [n − 1]; O(n³), for
 * the leaves of the divide & conquer only.
 * @throws NoConvergenceError after too many sweeps, as NaN input makes it.
 */
export function smallTridiagonal(diagonal: Float64Array, offDiagonal: Float64Array): Pairs {
  const n = diagonal.length;
  const d = diagonal.slice();
  const e = new Float64Array(n); // one longer than the off-diagonal: QL writes e[end]
  e.set(offDiagonal.subarray(0, Math.max(0, n - 1)));
  const vectors = new Float64Array(n * n);
  for (let row = 0; row < n; row++) vectors[row * n + row] = 1;
  for (let start = 0; start < n; start++)
    for (let sweeps = 0; ; sweeps++) {
      const end = blockEnd(d, e, start);
      if (end === start) break;
      if (sweeps === MAX_SWEEPS)
        throw new NoConvergenceError("implicit QL", sweeps, Math.abs(get(e, start)));
      sweep(d, e, vectors, start, end);
    }
  return { values: d, vectors };
}
