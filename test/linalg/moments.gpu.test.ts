/** Streamed moments on the GPU against float64 sums of the same f32 rows. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { MomentAccumulator, mergeMoments } from "../../src/linalg/index.ts";
import type { Moments } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";
import { uniform } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** Two passes in float64. */
function moments64(x: Float32Array, dim: number): Moments {
  const count = x.length / dim;
  const mean = new Float64Array(dim);
  x.forEach((value, index) => (mean[index % dim] = at(mean, index % dim) + value / count));
  const covariance = new Float64Array(dim * dim);
  for (let row = 0; row < count; row++) {
    const off = mean.map((value, j) => at(x, row * dim + j) - value);
    for (let i = 0; i < dim; i++)
      for (let j = 0; j < dim; j++)
        covariance[i * dim + j] = at(covariance, i * dim + j) + (at(off, i) * at(off, j)) / count;
  }
  return { count, mean, covariance };
}

/** Rows with correlated features: [rows, dim]. */
function sample(rows: number, dim: number, mean: number, drift = 0): Float32Array {
  const noise = uniform(rows * dim, 21);
  return Float32Array.from(noise, (value, index) => {
    const [row, j] = [Math.floor(index / dim), index % dim];
    const shared = at(noise, row * dim + (j % 3));
    return mean + (value + shared) * 2 ** (j % 5) + drift * (row / rows);
  });
}

/** The engine, taken for one on another class of adapters. */
const engineOf = (adapterClass: "cpu" | "gpu"): Engine =>
  new Proxy(engine, {
    get: (own, key): unknown =>
      key === "caps" ? { ...own.caps, adapterClass } : Reflect.get(own, key),
  });

async function accumulate(
  x: Float32Array,
  dim: number,
  blocks: readonly number[],
  on: Engine = engine,
) {
  const accumulator = new MomentAccumulator(on, dim);
  let start = 0;
  for (const rows of blocks) {
    const block = engine.tensor(x.subarray(start * dim, (start + rows) * dim), [rows, dim]);
    await accumulator.add(block);
    block.dispose();
    start += rows;
  }
  return accumulator.finish();
}

/** max |ΔC_ij| / √(C_ii C_jj) */
function covarianceError(got: Moments, want: Moments): number {
  const dim = want.mean.length;
  const deviation = want.mean.map((_, j) => Math.sqrt(at(want.covariance, j * dim + j)));
  return want.covariance.reduce((worst, value, index) => {
    const scale = at(deviation, Math.floor(index / dim)) * at(deviation, index % dim);
    return Math.max(worst, Math.abs(at(got.covariance, index) - value) / scale);
  }, 0);
}

describe("MomentAccumulator", () => {
  const cases = [
    { title: "one row", x: sample(1, 4, 2), dim: 4, blocks: [1] },
    { title: "odd blocks", x: sample(1000, 7, 0), dim: 7, blocks: [3, 256, 257, 484] },
    {
      title: "a mean 1,000 deviations away",
      x: sample(20_000, 24, 8000),
      dim: 24,
      blocks: [5000, 15_000],
    },
    {
      title: "a mean that drifts by many deviations",
      x: sample(6000, 16, 5, 400),
      dim: 16,
      blocks: [1500, 4500],
    },
    { title: "blocks beyond 4,096 rows", x: sample(9001, 5, 1), dim: 5, blocks: [9001] },
  ];
  for (const { title, x, dim, blocks } of cases)
    it.each(["cpu", "gpu"] as const)(`${title}, as for a %s`, async (adapterClass) => {
      const got = await accumulate(x, dim, blocks, engineOf(adapterClass));
      const want = moments64(x, dim);
      expect(got.count).toBe(want.count);
      want.mean.forEach((mean, j) => {
        const deviation = Math.sqrt(at(want.covariance, j * dim + j));
        // A drift makes the terms of a chunk's f32 sum a few deviations long; 1.1e-7 on an H200.
        expect(Math.abs(at(got.mean, j) - mean)).toBeLessThanOrEqual(2e-7 * deviation);
      });
      if (want.count > 1) expect(covarianceError(got, want)).toBeLessThanOrEqual(1e-6);
      else expect([...got.covariance]).toEqual([...want.covariance]);
    });

  it("keeps a constant feature's variance at exactly zero", async () => {
    const x = sample(3000, 3, 7).map((value, index) => (index % 3 === 1 ? 0.1 : value));
    const { covariance, mean } = await accumulate(x, 3, [3000]);
    expect(at(covariance, 4)).toBe(0);
    expect(at(mean, 1)).toBe(Math.fround(0.1));
  });

  it("adds only the first rows when told", async () => {
    const x = sample(500, 6, 3);
    const accumulator = new MomentAccumulator(engine, 6);
    await accumulator.add(engine.tensor(x, [500, 6]), 300);
    const want = moments64(x.subarray(0, 1800), 6);
    expect(covarianceError(accumulator.finish(), want)).toBeLessThanOrEqual(1e-6);
    expect(accumulator.count).toBe(300);
  });

  it("multiplies on the GPU and frees what it made", async () => {
    const block = engine.tensor(sample(2048, 8, 0), [2048, 8]);
    const accumulator = new MomentAccumulator(engine, 8);
    const before = engine.eager.dispatches;
    const live = engine.pool.live;
    await accumulator.add(block);
    expect(engine.eager.dispatches - before).toBeGreaterThanOrEqual(2 + 2 * (1 + 3)); // GPUs take the 8 chunks at once
    expect(engine.pool.live).toBeLessThanOrEqual(live); // garbage of earlier tests may go meanwhile
    block.dispose();
  });

  it("merges samples as if they were one", async () => {
    const x = sample(1200, 5, 100);
    const [a, b] = [
      await accumulate(x.subarray(0, 2000), 5, [400]),
      await accumulate(x.subarray(2000), 5, [800]),
    ];
    const kept = a.mean.slice();
    const want = moments64(x, 5);
    expect(covarianceError(mergeMoments(a, b), want)).toBeLessThanOrEqual(1e-6);
    expect(a.mean).toEqual(kept);
    expect(() => mergeMoments(a, { ...b, mean: new Float64Array(4) })).toThrow(
      /mergeMoments: dimensions differ; got a \[5\], b \[4\]/,
    );
  });

  it("names the column of a NaN and refuses what does not fit", async () => {
    const accumulator = new MomentAccumulator(engine, 3);
    expect(() => accumulator.finish()).toThrow(/moments: no rows were added/);
    const block = (values: number[]) => engine.tensor(new Float32Array(values), [2, 3]);
    await expect(accumulator.add(block([1, 2, 3, 4, Number.NaN, 6]))).rejects.toThrow(
      /moments: column 1 of rows 0…1 holds NaN/,
    );
    await expect(accumulator.add(block([1, 2, 3, 4, 5, Infinity]))).rejects.toThrow(/column 2/);
    await expect(accumulator.add(engine.zeros([2, 4]))).rejects.toThrow(
      /moments: blocks must be \[rows, 3\]; got block \[2, 4\]/,
    );
    await expect(accumulator.add(engine.zeros([2, 3]), 3)).rejects.toThrow(
      /the block does not have 3 rows/,
    );
  });
});
