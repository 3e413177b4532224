/** Least squares on the GPU: optimal, and shortest, in float64. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { lstsq } from "../../src/linalg/index.ts";
import { DataError } from "../../src/util/errors.ts";
import { at } from "../../src/util/shape.ts";
import { distance, families, multiply, norm } from "./families.ts";
import type { Dense } from "./families.ts";
import { uniform } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const COLS = 3;

const solve = async (a: Dense, b: Dense): Promise<{ x: Dense; rank: number }> => {
  const { x, rank } = await lstsq(
    engine,
    engine.tensor(Float32Array.from(a.values), [a.rows, a.cols]),
    engine.tensor(Float32Array.from(b.values), [b.rows, b.cols]),
  );
  return { x: { rows: a.cols, cols: b.cols, values: await x.floats() }, rank };
};

const SHAPES = [
  [1, 1],
  [3, 3],
  [90, 20],
  [20, 90],
  [65, 65],
] as const;

describe("lstsq", () => {
  for (const [rows, cols] of SHAPES)
    for (const name of ["repeated", "clustered", "rank-deficient", "ones"] as const)
      it(`finds the shortest solution for ${name} [${rows}, ${cols}]`, async () => {
        const a = families[name](rows, cols);
        // x₀ lies in the space of A's rows, so that it is the shortest that solves A x = A x₀.
        const inRows = { rows, cols: COLS, values: uniform(rows * COLS, 5) };
        const wanted = multiply(a, inRows, { transpose: true });
        const { x, rank } = await solve(a, multiply(a, wanted));
        expect(distance(wanted, x)).toBeLessThanOrEqual(1e-4);
        const parts = Math.min(rows, cols);
        if (name === "repeated" || name === "clustered") expect(rank).toBe(parts);
        if (name === "ones") expect(rank).toBe(1);
        if (name === "rank-deficient") expect(rank).toBe(Math.max(1, Math.ceil(0.4 * (parts - 1))));
      });

  it("leaves a residual that A's columns cannot explain", async () => {
    const a = families.random(200, 17);
    const b = { rows: 200, cols: COLS, values: Float32Array.from(uniform(200 * COLS, 6)) };
    const { x, rank } = await solve(a, b);
    expect(rank).toBe(17);
    const fit = multiply(a, x);
    const residual = {
      ...b,
      values: fit.values.map((value, index) => value - at(b.values, index)),
    };
    const share = norm(multiply(a, residual, { transpose: true }));
    expect(share).toBeLessThanOrEqual(1e-6 * norm(a) * norm(residual));
  });

  it("takes huge and tiny matrices, and zero", async () => {
    for (const name of ["huge", "tiny"] as const) {
      const a = families[name](40, 8);
      const wanted = { rows: 8, cols: 1, values: uniform(8, 7) };
      const { x } = await solve(a, multiply(a, wanted));
      expect(distance(wanted, x)).toBeLessThanOrEqual(1e-5);
    }
    const { x, rank } = await solve(families.zero(5, 4), families.ones(5, 1));
    expect(rank).toBe(0);
    expect([...x.values].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it("cuts at rcond", async () => {
    const a = engine.tensor(new Float32Array([1, 0, 0, 1e-3]), [2, 2]);
    const b = engine.tensor(new Float32Array([1, 1]), [2, 1]);
    expect((await lstsq(engine, a, b)).rank).toBe(2);
    const { x, rank } = await lstsq(engine, a, b, { rcond: 1e-2 });
    expect(rank).toBe(1);
    expect(Array.from(await x.floats(), (value) => Math.abs(value))).toEqual([1, 0]);
  });

  it("refuses NaN and Inf on either side", async () => {
    const fine = new Float32Array([1, 2, 3, 4, 5, 6]);
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const damaged = fine.with(3, bad);
      const sides = [fine, damaged].map((values) => engine.tensor(values, [3, 2]));
      const [good, spoilt] = [at(sides, 0), at(sides, 1)];
      await expect(lstsq(engine, good, spoilt)).rejects.toThrow(
        new DataError(`lstsq: b[1, 1] is ${bad}; check the input for NaN or Inf`),
      );
      await expect(lstsq(engine, spoilt, good)).rejects.toThrow(DataError);
    }
    const pair = new Float32Array([Infinity, 0, -Infinity, 0, 1, 1]); // no sum of them is finite
    const both = engine.tensor(pair, [3, 2]);
    await expect(lstsq(engine, engine.tensor(fine, [3, 2]), both)).rejects.toThrow(/b\[0, 0\]/);
  });

  it("takes finite values whose sum is not", async () => {
    const ones = engine.tensor(new Float32Array([1, 1]), [2, 1]);
    const { x } = await lstsq(engine, ones, engine.tensor(Float32Array.of(3e38, 3e38), [2, 1]));
    expect(x.shape).toEqual([1, 1]);
  });

  it("refuses shapes that do not meet", async () => {
    await expect(lstsq(engine, engine.zeros([3, 2]), engine.zeros([2, 1]))).rejects.toThrow(
      /lstsq: a must be \[M, N\] and b \[M, K\]; got a \[3, 2\], b \[2, 1\]/,
    );
  });
});
