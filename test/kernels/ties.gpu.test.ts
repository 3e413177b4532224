/** Gradients where elements tie, which finite differences cannot judge: shared, as in PyTorch. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { at } from "../../src/util/shape.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** Gradients of Σ weight · fn(inputs). */
const gradsOf = (
  inputs: readonly Tensor[],
  weight: Tensor,
  fn: () => Tensor,
): Promise<number[][]> => {
  const { ops } = engine;
  const { grads } = valueAndGrad(engine, inputs, () => ops.sum(ops.mul(fn(), weight)));
  return Promise.all(grads.map(async (grad) => [...(await grad.floats())]));
};

it("max and min give each of k tied elements g/k", async () => {
  const x = engine.tensor(new Float32Array([1, 5, 5, 2, -2, -2, -2, -2]), [2, 4]);
  const weight = engine.tensor(new Float32Array([3, 8]));
  const [dmax] = await gradsOf([x], weight, () => engine.ops.max(x, { axes: [1] }));
  expect(dmax).toEqual([0, 1.5, 1.5, 0, 2, 2, 2, 2]);
  const [dmin] = await gradsOf([x], weight, () => engine.ops.min(x, { axes: [1] }));
  expect(dmin).toEqual([3, 0, 0, 0, 2, 2, 2, 2]);
});

it("maximum and minimum give each of two tied operands half", async () => {
  const a = engine.tensor(new Float32Array([1, 4, 3]));
  const b = engine.tensor(new Float32Array([2, 4, 1]));
  const weight = engine.tensor(new Float32Array([5, 6, 7]));
  const above = await gradsOf([a, b], weight, () => engine.ops.maximum(a, b));
  expect(above).toEqual([
    [0, 3, 7],
    [5, 3, 0],
  ]);
  const below = await gradsOf([a, b], weight, () => engine.ops.minimum(a, b));
  expect(at(below, 0)).toEqual([5, 3, 0]);
  expect(at(below, 1)).toEqual([0, 3, 7]);
});
