/** Pseudo-inverses of any matrix. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { pinv } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";
import { uniform } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

describe("pinv", () => {
  it("solves least squares for a tall matrix", async () => {
    const [rows, cols] = [40, 6];
    const a = Float32Array.from(uniform(rows * cols, 12));
    const { inverse, rank } = await pinv(engine, engine.tensor(a, [rows, cols]));
    expect(rank).toBe(cols);
    const found = await inverse.floats(); // [cols, rows]
    for (let i = 0; i < cols; i++)
      for (let j = 0; j < cols; j++) {
        let sum = 0;
        for (let k = 0; k < rows; k++) sum += at(found, i * rows + k) * at(a, k * cols + j);
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 5);
      }
  });

  it("cuts at rcond", async () => {
    const a = engine.tensor(new Float32Array([1, 0, 0, 0, 1e-3, 0]), [2, 3]);
    expect((await pinv(engine, a)).rank).toBe(2);
    const { rank, inverse } = await pinv(engine, a, { rcond: 1e-2 });
    expect(rank).toBe(1);
    expect(Array.from(await inverse.floats(), Math.abs)).toEqual([1, 0, 0, 0, 0, 0]);
  });
});
