/** eigh on the GPU against float64 eigenvalues of the same f32 matrices. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { eigh, eighHost } from "../../src/linalg/index.ts";
import { CaptureError } from "../../src/util/errors.ts";
import { at } from "../../src/util/shape.ts";
import goldens from "../golden/linalg.json" with { type: "json" };
import { eigenErrors, matrices, symmetric } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** Of the largest eigenvalue; f32 rounds at 6e-8. */
const VALUE_TOLERANCE = 2e-7;
const VECTOR_TOLERANCE = 5e-6;

describe("eigh", () => {
  for (const [name, expected] of Object.entries(goldens.eigenvalues))
    it(name, async () => {
      const matrix = at(
        Object.entries(matrices).filter(([key]) => key === name),
        0,
      )[1]();
      const { size } = matrix;
      const { values, vectors, residual } = await eigh(
        engine,
        engine.tensor(matrix.values, [size, size]),
      );
      const largest = Math.max(...expected.map(Math.abs));
      const worst = Math.max(...expected.map((value, j) => Math.abs(value - at(values, j))));
      expect(worst).toBeLessThanOrEqual(VALUE_TOLERANCE * largest);
      expect([...values]).toEqual([...values].sort((a, b) => b - a));
      const errors = eigenErrors(matrix, values, await vectors.floats());
      expect(errors.residual).toBeLessThanOrEqual(VECTOR_TOLERANCE);
      expect(errors.orthogonality).toBeLessThanOrEqual(VECTOR_TOLERANCE);
      expect(residual).toBeLessThanOrEqual(2 * errors.residual + 1e-6);
      vectors.dispose();
    });

  // What a first reflector leaves of equal elements is some 1e-22, whose squares f32 has no room for.
  for (const size of [128, 256])
    it(`keeps eigenvectors of ${size} equal rows orthogonal`, async () => {
      const matrix = { size, values: new Float32Array(size * size).fill(1) };
      const { values, vectors } = await eigh(engine, engine.tensor(matrix.values, [size, size]));
      const errors = eigenErrors(matrix, values, await vectors.floats());
      expect(errors.residual).toBeLessThanOrEqual(1e-5);
      expect(errors.orthogonality).toBeLessThanOrEqual(1e-5);
    });

  it("does its O(D³) work in GPU dispatches and leaks no buffer", async () => {
    const { size, values } = symmetric(168, 3);
    const a = engine.tensor(values, [size, size]);
    const live = engine.pool.live;
    const before = engine.eager.dispatches;
    const { vectors } = await eigh(engine, a);
    // Two dispatches per column up to the last 128, one for these; products for the merges and the
    // way back.
    expect(engine.eager.dispatches - before).toBeGreaterThanOrEqual(2 * 40 + 1 + 3 * 3 + 3 * 3 + 1);
    vectors.dispose();
    expect(engine.pool.live).toBeLessThanOrEqual(live); // garbage of earlier tests may go meanwhile
  });

  it("gives the same bits every time", async () => {
    const { size, values } = symmetric(70, 5);
    const a = engine.tensor(values, [size, size]);
    const [one, two] = [await eigh(engine, a), await eigh(engine, a)];
    expect(one.values).toEqual(two.values);
    expect(await one.vectors.floats()).toEqual(await two.vectors.floats());
  });

  it("takes float64 matrices that f32 cannot hold", async () => {
    const matrix = Float64Array.from([2, 1, 1, 2], (value) => value * 1e-60);
    const { values } = await eighHost(engine, matrix, 2);
    expect(at(values, 0)).toBeCloseTo(3e-60, 66);
    expect(at(values, 1)).toBeCloseTo(1e-60, 66);
  });

  it("refuses to be recorded in a program", async () => {
    const attempts: Promise<unknown>[] = [];
    const step = program(engine, ({ x }: { readonly x: Tensor }) => {
      attempts.push(eigh(engine, x).catch((error: unknown) => error));
      return engine.ops.add(x, x);
    });
    await step.run({ x: { values: new Float32Array(4), shape: [2, 2] } });
    const [error] = await Promise.all(attempts);
    expect(error).toBeInstanceOf(CaptureError);
    expect(String(error)).toMatch(/eigh: reads values as it goes; call it outside program/);
    step.dispose();
  });

  it("refuses what it cannot decompose", async () => {
    const tensor = (values: number[], shape: number[]) =>
      engine.tensor(new Float32Array(values), shape);
    await expect(eigh(engine, tensor([1, 2], [1, 2]))).rejects.toThrow(
      /eigh: a must be square and not empty; got a \[1, 2\]/,
    );
    await expect(eigh(engine, tensor([1, Number.NaN, Number.NaN, 1], [2, 2]))).rejects.toThrow(
      /eigh: a\[0, 1\] is NaN; check the features/,
    );
    await expect(eigh(engine, tensor([1, 2, 3, 1], [2, 2]))).rejects.toThrow(
      /eigh: a is not symmetric: a\[1, 0\] = 3, a\[0, 1\] = 2/,
    );
    await expect(eighHost(engine, new Float64Array(3), 2)).rejects.toThrow(
      /3 elements do not fill/,
    );
  });
});
