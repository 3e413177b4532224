/** Singular values on the GPU: against eigh's goldens, exact small cases and graded columns. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { svd } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";
import goldens from "../golden/linalg.json" with { type: "json" };
import { distance, families, multiply, orthogonality } from "./families.ts";
import { matrices, uniform } from "./matrices.ts";
import { singularValues64 } from "./oracle64.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** A [rows, cols] and its parts, [rows, k], [k], [cols, k]. */
interface Parts {
  readonly a: Float32Array;
  readonly rows: number;
  readonly cols: number;
  readonly u: Float32Array;
  readonly values: Float64Array;
  readonly v: Float32Array;
}

const transposed = (values: Float32Array, rows: number, cols: number): Float64Array =>
  Float64Array.from(values, (_, index) =>
    at(values, (index % rows) * cols + Math.floor(index / rows)),
  );

async function decompose(a: Float32Array, rows: number, cols: number): Promise<Parts> {
  const { u, values, v } = await svd(engine, engine.tensor(a, [rows, cols]));
  return { a, rows, cols, u: await u.floats(), values, v: await v.floats() };
}

/** Largest |A − U Σ Vᵀ| / σ₁, in float64. */
function residualOf({ a, rows, cols, u, values, v }: Parts): number {
  const k = values.length;
  let worst = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      let sum = -at(a, i * cols + j);
      for (let n = 0; n < k; n++) sum += at(u, i * k + n) * at(values, n) * at(v, j * k + n);
      worst = Math.max(worst, Math.abs(sum));
    }
  return worst / (at(values, 0) || 1);
}

/** Largest |QᵀQ − I|. */
const orthogonalityOf = (values: Float32Array, rows: number): number =>
  orthogonality({ rows, cols: values.length / rows, values });

const random = (rows: number, cols: number, seed: number): Float32Array =>
  Float32Array.from(uniform(rows * cols, seed));

/** Families that are made of 256 rows too: float64 takes its time. */
const LARGE = new Set(["random", "clustered", "graded columns"]);

/**
 * H(x) Σ H(y) with Householder reflections H: dense, of known singular values, which rounding to f32
 * moves by less than 3e-8 of the largest.
 */
function reflected(values: readonly number[]): Float32Array {
  const size = values.length;
  const unit = (seed: number): Float64Array => {
    const x = uniform(size, seed);
    const norm = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
    return x.map((value) => value / norm);
  };
  const [x, y] = [unit(41), unit(42)];
  const middle = values.reduce((sum, value, k) => sum + at(x, k) * value * at(y, k), 0);
  return Float32Array.from({ length: size * size }, (_, index) => {
    const [i, j] = [Math.floor(index / size), index % size];
    const [left, right] = [at(values, j), at(values, i)];
    return (
      (i === j ? left : 0) +
      at(x, i) * at(y, j) * 4 * middle -
      2 * (at(x, i) * at(x, j) * left + right * at(y, i) * at(y, j))
    );
  });
}

describe("svd", () => {
  // |λ| of a symmetric matrix are its singular values: two unlike algorithms, one answer.
  for (const name of [
    "symmetric 33",
    "symmetric 64",
    "gram 100 rank 7",
    "toeplitz 96",
    "hilbert 40",
    "paired 80",
    "ones 70",
    "zero 20",
    "tiny 40",
    "huge 40",
  ] as const)
    it(`${name} matches float64`, async () => {
      const { size, values: a } = at(
        Object.entries(matrices).filter(([key]) => key === name),
        0,
      )[1]();
      const expected = goldens.eigenvalues[name].map(Math.abs).sort((x, y) => y - x);
      const parts = await decompose(a, size, size);
      const error = Math.max(...expected.map((value, k) => Math.abs(value - at(parts.values, k))));
      expect(error).toBeLessThanOrEqual(2e-7 * at(expected, 0));
      expect(residualOf(parts)).toBeLessThanOrEqual(2e-6);
      for (const basis of [parts.u, parts.v])
        expect(orthogonalityOf(basis, size)).toBeLessThanOrEqual(5e-6);
    });

  for (const [rows, cols] of [
    [1, 1],
    [1, 5],
    [9, 1],
    [30, 8],
    [7, 50],
    [200, 33],
  ] as const)
    it(`rebuilds [${rows}, ${cols}]`, async () => {
      const parts = await decompose(random(rows, cols, 31), rows, cols);
      expect(parts.values).toHaveLength(Math.min(rows, cols));
      expect(residualOf(parts)).toBeLessThanOrEqual(2e-6);
      expect(orthogonalityOf(parts.u, rows)).toBeLessThanOrEqual(5e-6);
      expect(orthogonalityOf(parts.v, cols)).toBeLessThanOrEqual(5e-6);
    });

  for (const [rows, cols] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [65, 65],
    [128, 128],
    [150, 33],
    [40, 65],
    [256, 256],
  ] as const)
    for (const [name, make] of Object.entries(families).filter(
      ([family]) => rows < 256 || LARGE.has(family),
    ))
      it(`${name} [${rows}, ${cols}] is within the stated bounds`, async () => {
        const a = make(rows, cols);
        const { u, values, v } = await decompose(a.values, rows, cols);
        const k = values.length;
        const expected = singularValues64(a);
        const largest = at(expected, 0);
        expected.forEach((value, n) => {
          const error = Math.abs(value - at(values, n));
          // Seen: 1.4e-8, where values are rounding; 2e-6 at 1e-5 of the largest. design: 2e-7, 2e-3.
          expect(error).toBeLessThanOrEqual(5e-8 * largest);
          if (name === "graded columns") expect(error).toBeLessThanOrEqual(1e-6 * value);
          if (value >= 0.9e-5 * largest) expect(error).toBeLessThanOrEqual(2e-5 * value);
        });
        const scaled = v.map((value, index) => value * at(values, index % k));
        const right = { rows: k, cols, values: transposed(scaled, cols, k) };
        expect(distance(a, multiply({ rows, cols: k, values: u }, right))).toBeLessThanOrEqual(
          5e-6,
        );
        expect(orthogonalityOf(u, rows)).toBeLessThanOrEqual(5e-6);
        expect(orthogonalityOf(v, cols)).toBeLessThanOrEqual(5e-6);
      });

  it("decomposes [768, 768] with a cluster of 300, a fall to 1e-4 and zeros", async () => {
    const size = 768;
    const expected = Array.from({ length: size }, (_, k) =>
      k < 300 ? 1 + 1e-6 * (1 - k / 300) : k < 700 ? 10 ** ((-4 * (k - 299)) / 401) : 0,
    );
    const a = engine.tensor(reflected(expected), [size, size]);
    const { u, values, v } = await svd(engine, a);
    expected.forEach((value, k) => {
      expect(Math.abs(value - at(values, k))).toBeLessThanOrEqual(2e-7 + 3e-8);
    });
    const { ops } = engine;
    const scaled = ops.mul(u, engine.tensor(Float32Array.from(values)));
    const gap = ops.sub(ops.matmul(scaled, v, null, { transposeB: true }), a);
    // Seen: 1.7e-6 and 2.2e-6, as many as the cosines that Jacobi leaves (U is made orthogonal after it).
    expect(await ops.max(ops.abs(gap)).item()).toBeLessThanOrEqual(3e-6);
    const unit = engine.tensor(
      Float32Array.from({ length: size * size }, (_, index) => Number(index % (size + 1) === 0)),
      [size, size],
    );
    for (const basis of [u, v]) {
      const lack = ops.sub(ops.matmul(basis, basis, null, { transposeA: true }), unit);
      expect(await ops.max(ops.abs(lack)).item()).toBeLessThanOrEqual(5e-6);
    }
  }, 60_000);

  it("keeps relative accuracy through a QR where columns are graded", async () => {
    const a = families["graded columns"](150, 33);
    const { values } = await decompose(a.values, 150, 33);
    singularValues64(a).forEach((value, n) => {
      expect(Math.abs(at(values, n) / value - 1)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("keeps relative accuracy where columns are graded over twelve decades", async () => {
    const [rows, cols] = [20, 5];
    const plain = random(rows, cols, 8);
    // Orthogonal columns times powers of two: singular values are known, whatever the grading.
    const { u } = await decompose(plain, rows, cols);
    const grade = (j: number) => 2 ** (-10 * j);
    const a = u.map((value, index) => value * grade(index % cols));
    const { values } = await decompose(a, rows, cols);
    values.forEach((value, j) => {
      expect(Math.abs(value / grade(j) - 1)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("keeps vectors orthonormal where columns are graded over thirty decades", async () => {
    const [rows, cols] = [40, 40];
    const plain = random(rows, cols, 9);
    const a = plain.map((value, index) => value * 10 ** ((-30 * (index % cols)) / cols));
    const parts = await decompose(a, rows, cols);
    expect(residualOf(parts)).toBeLessThanOrEqual(2e-6);
    for (const basis of [parts.u, parts.v])
      expect(orthogonalityOf(basis, rows)).toBeLessThanOrEqual(5e-6);
    const expected = singularValues64({ rows, cols, values: a });
    expected.forEach((value, k) => {
      // 1e-15 of the largest is well within what squares in f32 hold.
      if (value > 1e-15 * at(expected, 0))
        expect(Math.abs(at(parts.values, k) / value - 1)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("refuses what it cannot decompose", async () => {
    await expect(svd(engine, engine.zeros([0, 3]))).rejects.toThrow(
      /svd: a must be a matrix and not empty; got a \[0, 3\]/,
    );
    const bad = engine.tensor(new Float32Array([1, 2, 3, Infinity, 5, 6]), [2, 3]);
    await expect(svd(engine, bad)).rejects.toThrow(/column 1 of a holds NaN or Inf/);
    const square = engine.tensor(new Float32Array([1, 2, NaN, 4]), [2, 2]);
    await expect(svd(engine, square)).rejects.toThrow(/svd: a\[1, 0\] is NaN/);
  });
});
