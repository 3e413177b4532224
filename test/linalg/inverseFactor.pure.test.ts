/** The factored inverse of positive definite matrices: A F Fᵀ = I, whatever the spread of the spectrum. */
import { expect, test } from "vitest";
import { inverseFactor } from "../../src/linalg/index.ts";
import { generator } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";

/** Σ λ_k v_k v_kᵀ over Householder reflections of the axes: eigenvalues from 1 down to `smallest`. */
function matrixOf(size: number, smallest: number): Float64Array {
  const next = generator({ seed: size });
  const mirror = Array.from({ length: size }, () => next() - 0.5);
  const square = mirror.reduce((sum, value) => sum + value * value, 0);
  const axis = (k: number, i: number): number =>
    (i === k ? 1 : 0) - (2 * at(mirror, k) * at(mirror, i)) / square;
  return Float64Array.from({ length: size * size }, (_, index) => {
    const [i, j] = [Math.floor(index / size), index % size];
    let total = 0;
    for (let k = 0; k < size; k++)
      total += smallest ** (size > 1 ? k / (size - 1) : 0) * axis(k, i) * axis(k, j);
    return total;
  });
}

test.each([
  [1, 1],
  [5, 1e-2],
  [33, 1e-4],
  [64, 1e-9],
])("inverseFactor [%d, %d], eigenvalues down to %f", (size, smallest) => {
  const a = matrixOf(size, smallest);
  const factor = inverseFactor(a, size);
  let worst = 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      if (j < i) expect(at(factor, i * size + j)).toBe(0);
      // Fᵀ A F = I
      let total = 0;
      for (let k = 0; k < size; k++)
        for (let l = 0; l < size; l++)
          total += at(factor, k * size + i) * at(a, k * size + l) * at(factor, l * size + j);
      worst = Math.max(worst, Math.abs(total - (i === j ? 1 : 0)));
    }
  expect(worst).toBeLessThan((1e-13 * size) / smallest);
});

test("inverseFactor refuses what has no factor, and NaN", () => {
  expect(() => inverseFactor(Float64Array.of(1, 2, 2, 1), 2)).toThrow(
    /inverseFactor: a is not positive definite: pivot 1 is not positive/,
  );
  expect(() => inverseFactor(Float64Array.of(NaN), 1)).toThrow(/holds NaN or Inf/);
});
