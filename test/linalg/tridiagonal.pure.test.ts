/** The host's part of eigh, alone: leaves, secular equation and merges, in float64. */
import { describe, expect, it } from "vitest";
import { merge } from "../../src/linalg/conquer.ts";
import type { Half } from "../../src/linalg/conquer.ts";
import { smallTridiagonal } from "../../src/linalg/ql.ts";
import { rootValue, secularRoots, secularVectors } from "../../src/linalg/secular.ts";
import { at } from "../../src/util/shape.ts";
import { uniform } from "./matrices.ts";

interface Solved extends Half {
  /** [n, n], row-major. */
  readonly vectors: Float64Array;
}

const LEAF = 8;

function leaf(d: Float64Array, e: Float64Array): Solved {
  const { values, vectors } = smallTridiagonal(d, e);
  const n = d.length;
  return { values, vectors, first: vectors.slice(0, n), last: vectors.slice((n - 1) * n) };
}

/** blockdiag(left, right) · factor, as the GPU does it. */
function multiply(left: Solved, right: Solved, factor: Float64Array): Float64Array {
  const cut = left.values.length;
  const n = cut + right.values.length;
  return Float64Array.from({ length: n * n }, (_, index) => {
    const [i, j] = [Math.floor(index / n), index % n];
    const [half, from, row] = i < cut ? [left, 0, i] : [right, cut, i - cut];
    const size = half.values.length;
    let sum = 0;
    for (let k = 0; k < size; k++)
      sum += at(half.vectors, row * size + k) * at(factor, (from + k) * n + j);
    return sum;
  });
}

function solve(d: Float64Array, e: Float64Array): Solved {
  if (d.length <= LEAF) return leaf(d, e);
  const cut = d.length >> 1;
  const coupling = at(e, cut - 1);
  const [upper, lower] = [d.slice(0, cut), d.slice(cut)];
  upper[cut - 1] = at(upper, cut - 1) - Math.abs(coupling);
  lower[0] = at(lower, 0) - Math.abs(coupling);
  const [left, right] = [solve(upper, e.slice(0, cut - 1)), solve(lower, e.slice(cut))];
  const merged = merge(left, right, coupling);
  return { ...merged, vectors: multiply(left, right, merged.factor) };
}

/** Largest |T v − λ v| / ‖T‖ and |VᵀV − I|. */
function errorsOf(d: Float64Array, e: Float64Array, { values, vectors }: Solved) {
  const n = d.length;
  const element = (list: Float64Array, index: number) => list[index] ?? 0;
  let [residual, orthogonality, norm] = [0, 0, Number.MIN_VALUE];
  for (let i = 0; i < n; i++)
    norm = Math.max(
      norm,
      Math.abs(at(d, i)) + Math.abs(element(e, i)) + Math.abs(element(e, i - 1)),
    );
  for (let j = 0; j < n; j++)
    for (let i = 0; i < n; i++) {
      const above = i > 0 ? at(vectors, (i - 1) * n + j) : 0;
      const below = i < n - 1 ? at(vectors, (i + 1) * n + j) : 0;
      const applied =
        at(d, i) * at(vectors, i * n + j) + element(e, i - 1) * above + element(e, i) * below;
      residual = Math.max(residual, Math.abs(applied - at(values, j) * at(vectors, i * n + j)));
      let dot = i === j ? -1 : 0;
      for (let k = 0; k < n; k++) dot += at(vectors, k * n + i) * at(vectors, k * n + j);
      orthogonality = Math.max(orthogonality, Math.abs(dot));
    }
  return { residual: residual / norm, orthogonality };
}

const filled = (length: number, value: (index: number) => number) =>
  Float64Array.from({ length }, (_, index) => value(index));

const N = 90;
const noise = uniform(4 * N, 9);
const noisy = (scale: number, from = 0) => filled(N, (index) => scale * at(noise, from + index));
const cases: Readonly<Record<string, readonly [Float64Array, Float64Array]>> = {
  "one row": [Float64Array.of(3), new Float64Array(0)],
  random: [noisy(1), noisy(1, N)],
  "coupled almost not at all": [noisy(1), noisy(1e-12, N)],
  wilkinson: [filled(N, (i) => Math.abs(i - (N - 1) / 2)), filled(N, () => 1)],
  laplace: [filled(N, () => 2), filled(N, () => -1)],
  identity: [filled(N, () => 1), filled(N, () => 0)],
  zero: [filled(N, () => 0), filled(N, () => 0)],
  graded: [filled(N, (i) => 10 ** (-i / 5)), filled(N, (i) => 10 ** (-i / 5) * at(noise, i))],
  "rank 10 and rounding noise": [
    filled(N, (i) => (i < 10 ? 1 : 1e-7) * at(noise, i)),
    filled(N, (i) => (i < 10 ? 1 : 1e-7) * at(noise, N + i)),
  ],
  "two tight clusters": [filled(N, (i) => (i % 2) + 1e-7 * at(noise, i)), noisy(1e-7, N)],
  huge: [noisy(1e150), noisy(1e150, N)],
};

describe("divide & conquer", () => {
  for (const [name, [d, couplings]] of Object.entries(cases))
    it(name, () => {
      const e = couplings.slice(0, d.length - 1);
      const { residual, orthogonality } = errorsOf(d, e, solve(d, e));
      expect(residual).toBeLessThanOrEqual(1e-10); // deflation cuts at 1e-11 of the norm, per merge
      expect(orthogonality).toBeLessThanOrEqual(1e-13);
    });
});

describe("secular equation", () => {
  const system = {
    d: Float64Array.of(-1, 0, 1e-9, 2),
    z: Float64Array.of(0.5, 1e-6, 0.5, -0.7),
    rho: 0.3,
  };

  it("interlaces its roots with the poles and keeps their sum", () => {
    const roots = secularRoots(system);
    const values = Array.from(system.d, (_, j) => rootValue(system, roots, j));
    values.forEach((value, j) => {
      expect(value).toBeGreaterThanOrEqual(at(system.d, j));
      expect(value).toBeLessThanOrEqual(system.d[j + 1] ?? Infinity);
    });
    const trace = system.d.reduce((sum, value, j) => sum + value + 0.3 * at(system.z, j) ** 2, 0);
    expect(values.reduce((a, b) => a + b)).toBeCloseTo(trace, 14);
  });

  it("has orthonormal vectors however close two roots are", () => {
    const vectors = secularVectors(system, secularRoots(system));
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) {
        let dot = 0;
        for (let k = 0; k < 4; k++) dot += at(vectors, k * 4 + i) * at(vectors, k * 4 + j);
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 14);
      }
  });
});

describe("implicit QL", () => {
  it("gives up on NaN instead of running for ever", () => {
    expect(() =>
      smallTridiagonal(Float64Array.of(1, Number.NaN, 2), Float64Array.of(1, 1)),
    ).toThrow(/implicit QL: no convergence after 60 iterations/);
  });
});
