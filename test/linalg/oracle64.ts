/** Singular values in float64 by one-sided Jacobi on columns: good to float64's rounding of each. */
import { at } from "../../src/util/shape.ts";
import type { Dense } from "./families.ts";

const SWEEPS = 30;

/** Rotates columns p and q until they are orthogonal; returns the cosine between them before. */
function turn(columns: readonly Float64Array[], p: number, q: number): number {
  const [x, y] = [at(columns, p), at(columns, q)];
  let [alpha, beta, gamma] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [left, right] = [at(x, i), at(y, i)];
    alpha += left * left;
    beta += right * right;
    gamma += left * right;
  }
  const cosine = gamma === 0 ? 0 : Math.abs(gamma) / Math.sqrt(alpha * beta);
  if (cosine < 1e-15) return cosine;
  const angle = Math.atan2(2 * gamma, alpha - beta) / 2;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < x.length; i++) {
    const [left, right] = [at(x, i), at(y, i)];
    x[i] = c * left + s * right;
    y[i] = c * right - s * left;
  }
  return cosine;
}

/** Singular values, descending; the smaller side's lines are rotated. */
export function singularValues64({ rows, cols, values }: Dense): number[] {
  const [count, length] = rows < cols ? [rows, cols] : [cols, rows];
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return Array<number>(count).fill(0);
  const lines = Array.from({ length: count }, (_, k) =>
    Float64Array.from(
      { length },
      (_, i) => at(values, rows < cols ? k * cols + i : i * cols + k) / largest,
    ),
  );
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let worst = 0;
    for (let p = 0; p < count; p++)
      for (let q = p + 1; q < count; q++) worst = Math.max(worst, turn(lines, p, q));
    if (worst < 1e-14) break;
  }
  return lines.map((line) => largest * Math.hypot(...line)).sort((a, b) => b - a);
}
