/** Eigenvalues of small symmetric matrices on the host. */
import { expect, it } from "vitest";
import { smallSymmetric } from "../../src/linalg/smallSymmetric.ts";

it("finds eigenvalues that are known", () => {
  expect(Array.from(smallSymmetric(Float64Array.of(-3), 1))).toEqual([-3]);
  expect(Array.from(smallSymmetric(Float64Array.of(0, 0, 0, 0), 2))).toEqual([0, 0]);
  // 2 − 2 cos(kπ / (n + 1)) of the second difference, here times 1e-9.
  const size = 12;
  const matrix = Float64Array.from({ length: size * size }, (_, index) => {
    const apart = Math.abs(Math.floor(index / size) - (index % size));
    return apart === 0 ? 2e-9 : apart === 1 ? -1e-9 : 0;
  });
  smallSymmetric(matrix, size).forEach((value, k) => {
    const expected = 2e-9 - 2e-9 * Math.cos(((size - k) * Math.PI) / (size + 1));
    expect(Math.abs(value - expected)).toBeLessThan(1e-23);
  });
});
