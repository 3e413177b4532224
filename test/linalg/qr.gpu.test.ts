/** QR on the GPU in every family: residual by columns, and orthogonality, in float64. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { qr } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";
import { distance, families, multiply, orthogonality } from "./families.ts";
import type { Dense } from "./families.ts";
import { uniform } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const columnOf = ({ rows, cols, values }: Dense, j: number): Dense => ({
  rows,
  cols: 1,
  values: Float64Array.from({ length: rows }, (_, i) => at(values, i * cols + j)),
});

describe("qr", () => {
  for (const [rows, cols] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [65, 65],
    [128, 128],
    [300, 33],
    [40, 65],
    [1, 5],
  ] as const)
    for (const [name, make] of Object.entries(families))
      it(`${name} [${rows}, ${cols}]`, async () => {
        const a = make(rows, cols);
        const live = engine.pool.live;
        const tensor = engine.tensor(a.values, [rows, cols]);
        const { q, r } = await qr(engine, tensor);
        const k = Math.min(rows, cols);
        expect([q.shape, r.shape]).toEqual([
          [rows, k],
          [k, cols],
        ]);
        const left = { rows, cols: k, values: await q.floats() };
        const right = { rows: k, cols, values: await r.floats() };
        for (const held of [tensor, q, r]) held.dispose();
        expect(engine.pool.live).toBe(live);
        expect(orthogonality(left)).toBeLessThanOrEqual(5e-6);
        right.values.forEach((value, index) => {
          const [row, column] = [Math.floor(index / cols), index % cols];
          if (column < row) expect(value).toBe(0);
          if (column === row) expect(value).toBeGreaterThanOrEqual(0);
        });
        const rebuilt = multiply(left, right);
        // By columns, so that graded ones count.
        for (let j = 0; j < cols; j++)
          expect(distance(columnOf(a, j), columnOf(rebuilt, j))).toBeLessThanOrEqual(2e-6);
      });

  it("keeps Q orthonormal over 20,000 rows far from zero", async () => {
    const [rows, cols] = [20_000, 5];
    const values = Float32Array.from(uniform(rows * cols, 3), (value) => 1000 + value);
    const { q, r } = await qr(engine, engine.tensor(values, [rows, cols]));
    const left = { rows, cols, values: await q.floats() };
    expect(orthogonality(left)).toBeLessThanOrEqual(5e-6);
    const right = { rows: cols, cols, values: await r.floats() };
    expect(distance({ rows, cols, values }, multiply(left, right))).toBeLessThanOrEqual(1e-6);
  });

  it("gives the same bits every time", async () => {
    const a = engine.tensor(families["rank-deficient"](65, 40).values, [65, 40]);
    const [one, two] = [await qr(engine, a), await qr(engine, a)];
    expect(await one.q.floats()).toEqual(await two.q.floats());
    expect(await one.r.floats()).toEqual(await two.r.floats());
  });

  it("refuses what it cannot decompose", async () => {
    await expect(qr(engine, engine.zeros([0, 3]))).rejects.toThrow(
      /qr: a must be a matrix and not empty; got a \[0, 3\]/,
    );
    for (const bad of [Number.NaN, Infinity]) {
      const a = engine.tensor(new Float32Array([1, 2, 3, bad, 5, 6]), [3, 2]);
      await expect(qr(engine, a)).rejects.toThrow(/qr: column 1 of a holds NaN or Inf/);
    }
  });
});
