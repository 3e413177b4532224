/** Products on the GPU that are nearly exact: against float64, where a product in f32 is not. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { exactGram, exactProduct } from "../../src/linalg/exactProduct.ts";
import { at } from "../../src/util/shape.ts";
import { multiply } from "./families.ts";
import type { Dense } from "./families.ts";
import { uniform } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** Random columns of length 1, in f32. */
function unitColumns(rows: number, cols: number, seed: number): Dense {
  const values = uniform(rows * cols, seed);
  const squares = new Float64Array(cols);
  values.forEach((value, index) => {
    squares[index % cols] = at(squares, index % cols) + value * value;
  });
  return {
    rows,
    cols,
    values: Float32Array.from(values, (value, i) => value / Math.sqrt(at(squares, i % cols))),
  };
}

for (const [rows, inner, cols] of [
  [3, 5, 2],
  [40, 700, 33],
] as const)
  it(`[${rows}, ${inner}] · [${inner}, ${cols}] errs by 1e-9 of a row's length`, async () => {
    // Rows of scales 1e-20 to 1e20, all positive: f32 would err by 1e-7 in one direction.
    const values = Float32Array.from(
      uniform(rows * inner, 3),
      (value, index) => (value + 2) * 10 ** (((Math.floor(index / inner) % 5) - 2) * 10),
    );
    const [a, v] = [{ rows, cols: inner, values }, unitColumns(inner, cols, 4)];
    const found = await exactProduct(engine, a, v);
    multiply(a, v).values.forEach((expected, index) => {
      const row = Math.floor(index / cols);
      const line = values.subarray(row * inner, (row + 1) * inner);
      const length = Math.sqrt(line.reduce((sum, value) => sum + (value / at(line, 0)) ** 2, 0));
      const error = Math.abs(at(found, index) - expected) / (length * Math.abs(at(line, 0)));
      expect(error).toBeLessThanOrEqual(1e-9);
    });
  });

it("WᵀW errs by 1e-9 of the largest", async () => {
  const w = unitColumns(500, 40, 5);
  const halved = { ...w, values: Float64Array.from(w.values, (value) => 0.6 * value) };
  const expected = multiply(halved, halved, { transpose: true }).values;
  const found = await exactGram(engine, halved);
  found.forEach((value, index) => {
    expect(Math.abs(value - at(expected, index))).toBeLessThanOrEqual(1e-9);
  });
});

it("takes rows of zeros", async () => {
  const a = { rows: 2, cols: 3, values: Float32Array.of(0, 0, 0, 1, 2, 3) };
  const v = { rows: 3, cols: 1, values: Float32Array.of(1, 0, 0) };
  expect(Array.from(await exactProduct(engine, a, v))).toEqual([0, 1]);
});
