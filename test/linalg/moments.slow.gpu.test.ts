/** A million rows far from zero, streamed: the covariance keeps its digits. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { MomentAccumulator } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const ROWS = 1_000_000;
const DIM = 64;
const BLOCK = 4096;
const SHARED = 4; // columns that all others follow

/** Rows of f32 with a mean 1,000 times the deviation, scaled by column over three decades. */
function rowSource(): (rows: number) => Float32Array {
  let state = 12345;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return (rows) => {
    const block = new Float32Array(rows * DIM);
    for (let row = 0; row < rows; row++) {
      const start = row * DIM;
      for (let j = 0; j < DIM; j++) {
        const own = (Math.sqrt(3) * (uniform() + uniform() + uniform() + uniform())) / 1000;
        // Every column deviates by a thousandth of its mean; later ones follow an early one.
        const shared = at(block, start + (j % SHARED)) / meanOf(j % SHARED) - 1;
        block[start + j] = meanOf(j) * (1 + (j < SHARED ? own : (own + 2 * shared) / Math.sqrt(5)));
      }
    }
    return block;
  };
}

const meanOf = (j: number): number => 10 ** ((j % 7) / 2) * (j % 2 === 0 ? 1 : -1);

/** Float64 sums of rows shifted by what their mean is meant to be: nothing cancels. */
class Sums64 {
  private readonly first = new Float64Array(DIM);
  private readonly second = new Float64Array(DIM * DIM);
  private count = 0;

  add(block: Float32Array): void {
    const { first, second } = this;
    const off = new Float64Array(DIM);
    for (let start = 0; start < block.length; start += DIM) {
      for (let j = 0; j < DIM; j++) off[j] = (block[start + j] ?? 0) - meanOf(j);
      for (let i = 0; i < DIM; i++) {
        const own = off[i] ?? 0;
        first[i] = (first[i] ?? 0) + own;
        for (let j = i; j < DIM; j++)
          second[i * DIM + j] = (second[i * DIM + j] ?? 0) + own * (off[j] ?? 0);
      }
      this.count++;
    }
  }

  /** C_ij for i ≤ j. */
  covariance(i: number, j: number): number {
    const across = (at(this.first, i) / this.count) * at(this.first, j);
    return (at(this.second, i * DIM + j) - across) / this.count;
  }
}

it("covariance of 1,000,000 rows whose mean is 1,000 deviations", async () => {
  const rowsOf = rowSource();
  const accumulator = new MomentAccumulator(engine, DIM);
  const want = new Sums64();
  for (let start = 0; start < ROWS; start += BLOCK) {
    const values = rowsOf(Math.min(BLOCK, ROWS - start));
    want.add(values);
    const block = engine.tensor(values, [values.length / DIM, DIM]);
    await accumulator.add(block);
    block.dispose();
  }
  const { count, covariance, mean } = accumulator.finish();
  expect(count).toBe(ROWS);
  let worst = 0;
  let ratio = Infinity;
  for (let i = 0; i < DIM; i++)
    for (let j = i; j < DIM; j++) {
      const scale = Math.sqrt(want.covariance(i, i) * want.covariance(j, j));
      const difference = Math.abs(at(covariance, i * DIM + j) - want.covariance(i, j));
      worst = Math.max(worst, difference / scale);
      if (i === j) ratio = Math.min(ratio, Math.abs(at(mean, i)) / scale);
    }
  expect(ratio).toBeGreaterThan(990); // or the data would ask for less than it is meant to
  expect(worst).toBeLessThanOrEqual(1e-6);
});
