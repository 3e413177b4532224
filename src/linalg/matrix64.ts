/** Products and distances of rows in float64 on the host. Loops are plain: fits run them by the billion. */

/** A B of matrices [R, D] and [D, D]. */
export function product(a: Float64Array, b: Float64Array, dim: number): Float64Array {
  const made = new Float64Array(a.length);
  for (let start = 0; start < a.length; start += dim)
    for (let k = 0; k < dim; k++) {
      const factor = a[start + k] ?? 0;
      for (let col = 0; col < dim; col++)
        made[start + col] = (made[start + col] ?? 0) + factor * (b[k * dim + col] ?? 0);
    }
  return made;
}

/** Adds Σ_k factor_k a_k b_kᵀ over rows of two matrices [K, D] to one of [D, D]. */
export function addProducts(
  matrix: Float64Array,
  [a, b]: readonly [Float64Array, Float64Array],
  factorOf: (row: number) => number,
): void {
  const dim = Math.sqrt(matrix.length);
  for (let start = 0; start < a.length; start += dim) {
    const share = factorOf(start / dim);
    for (let i = 0; i < dim; i++) {
      const factor = share * (a[start + i] ?? 0);
      for (let j = 0; j < dim; j++)
        matrix[i * dim + j] = (matrix[i * dim + j] ?? 0) + factor * (b[start + j] ?? 0);
    }
  }
}

/** Sums of this many pairs run beside each other: those of one would wait for its own last addition. */
const LANES = 4;

/** ‖own − row‖² of some rows of a matrix [N, D], column after column. */
export function squaredGaps(
  own: Float64Array,
  matrix: Float64Array,
  rows: ArrayLike<number>,
): Float64Array {
  const dim = own.length;
  const found = new Float64Array(rows.length);
  const startOf = (place: number): number => (rows[Math.min(place, rows.length - 1)] ?? 0) * dim;
  for (let first = 0; first < found.length; first += LANES) {
    const p = startOf(first);
    const q = startOf(first + 1);
    const r = startOf(first + 2);
    const s = startOf(first + 3);
    let [toP, toQ, toR, toS] = [0, 0, 0, 0];
    for (let j = 0; j < dim; j++) {
      const x = own[j] ?? 0;
      const gapP = x - (matrix[p + j] ?? 0);
      const gapQ = x - (matrix[q + j] ?? 0);
      const gapR = x - (matrix[r + j] ?? 0);
      const gapS = x - (matrix[s + j] ?? 0);
      toP += gapP * gapP;
      toQ += gapQ * gapQ;
      toR += gapR * gapR;
      toS += gapS * gapS;
    }
    found.set([toP, toQ, toR, toS].slice(0, found.length - first), first);
  }
  return found;
}
