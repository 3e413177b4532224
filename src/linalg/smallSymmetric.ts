/** Eigenvalues of small symmetric matrices on the host, in float64, by Jacobi's method. */
import { EPSILON, get } from "./float64.ts";

/** 5 to 8 are usual. */
const SWEEPS = 30;

/** Rows and columns p and q turned until their element is zero. */
function turn(a: Float64Array, size: number, p: number, q: number): void {
  const [alpha, beta, gamma] = [get(a, p * size + p), get(a, q * size + q), get(a, p * size + q)];
  const zeta = (beta - alpha) / (2 * gamma);
  const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const c = 1 / Math.hypot(1, t);
  const s = c * t;
  for (let k = 0; k < size; k++) {
    const [x, y] = [get(a, p * size + k), get(a, q * size + k)];
    a[p * size + k] = c * x - s * y;
    a[q * size + k] = s * x + c * y;
  }
  for (let k = 0; k < size; k++) {
    const [x, y] = [get(a, k * size + p), get(a, k * size + q)];
    a[k * size + p] = c * x - s * y;
    a[k * size + q] = s * x + c * y;
  }
}

/** Eigenvalues of a symmetric matrix [size · size], descending; O(size³), so size is bounded. */
export function smallSymmetric(matrix: Float64Array, size: number): Float64Array {
  const a = matrix.slice();
  const least = EPSILON * Math.sqrt(a.reduce((sum, value) => sum + value * value, 0));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++)
        if (Math.abs(get(a, p * size + q)) > least) {
          turn(a, size, p, q);
          turned = true;
        }
    if (!turned) break;
  }
  return Float64Array.from({ length: size }, (_, k) => get(a, k * (size + 1))).sort(
    (one, other) => other - one,
  );
}
