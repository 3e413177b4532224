/** The inverse of a small positive definite matrix, factored, on the host: f32 loses it where the spectrum spreads over 1e7. */
import { DataError } from "../util/errors.ts";
import { get } from "./float64.ts";
import { lowerFactor } from "./spd64.ts";

/**
 * F [D · D], upper triangular, with A⁻¹ = F Fᵀ: rows times F are whitened, and det A = Π 1/F_ii².
 * Float64 on the host, O(D³): for covariances of up to some hundred dimensions.
 * @throws DataError if A holds NaN or Inf.
 * @throws NotPositiveDefiniteError if a pivot is not positive; it names the pivot.
 */
export function inverseFactor(a: Float64Array, size: number): Float64Array {
  if (!a.every(Number.isFinite)) throw new DataError("inverseFactor: the matrix holds NaN or Inf");
  const lower = lowerFactor("inverseFactor", a, size);
  const inverse = new Float64Array(size * size); // F = L⁻ᵀ, so its column is a row of L⁻¹
  for (let col = 0; col < size; col++)
    for (let row = col; row < size; row++) {
      let rest = row === col ? 1 : 0;
      for (let k = col; k < row; k++)
        rest -= get(lower, row * size + k) * get(inverse, col * size + k);
      inverse[col * size + row] = rest / get(lower, row * size + row);
    }
  return inverse;
}
