/** PCA against scikit-learn, and the pseudo-inverse by Penrose's conditions. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { MomentAccumulator, deviations, pca, pinvh } from "../../src/linalg/index.ts";
import type { Moments } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";
import goldens from "../golden/linalg.json" with { type: "json" };
import { columnOf, gram, uniform } from "./matrices.ts";
import type { Matrix } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const ROWS = 60;
const DIM = 6;

/** The features of pca_case in make_linalg_goldens.py. */
const features = (): Float32Array =>
  Float32Array.from(
    uniform(ROWS * DIM, 11),
    (value, index) => value * 2 ** (index % DIM) + 10 * (index % DIM),
  );

async function moments(): Promise<Moments> {
  const accumulator = new MomentAccumulator(engine, DIM);
  await accumulator.add(engine.tensor(features(), [ROWS, DIM]));
  return accumulator.finish();
}

describe("pca", () => {
  for (const [name, golden] of Object.entries(goldens.pca))
    it(`${name} matches scikit-learn`, async () => {
      const fit = await pca(engine, await moments(), { standardize: name === "standardized" });
      const components = await fit.components.floats();
      golden.variance.forEach((variance, j) => {
        const top = at(golden.variance, 0);
        expect(Math.abs(at(fit.explainedVariance, j) - variance)).toBeLessThanOrEqual(1e-6 * top);
        expect(at(fit.explainedVarianceRatio, j)).toBeCloseTo(at(golden.ratio, j), 6);
        const expected = at(golden.components, j);
        const cosine = columnOf(components, DIM, j).reduce(
          (sum, value, i) => sum + value * at(expected, i),
          0,
        );
        expect(Math.abs(cosine)).toBeCloseTo(1, 5);
      });
    });

  it("finds directions around the origin when not centred", async () => {
    const sample = await moments();
    const fit = await pca(engine, sample, { centred: false });
    const trace = sample.mean.reduce(
      (sum, mean, j) => sum + mean * mean + at(sample.covariance, j * DIM + j),
      0,
    );
    const total = fit.explainedVariance.reduce((sum, value) => sum + value, 0);
    expect(total / trace).toBeCloseTo(1, 6);
    expect([...fit.mean]).toEqual(new Array(DIM).fill(0));
  });

  it("leaves constant features alone when it standardises", () => {
    const covariance = Float64Array.from([4, 0, 0, 1e-16]);
    const scale = deviations({ count: 9, mean: Float64Array.from([1, 3]), covariance });
    expect([...scale]).toEqual([2, 1]);
  });

  it("explains nothing of features that do not vary", async () => {
    const zero = { count: 5, mean: new Float64Array(3), covariance: new Float64Array(9) };
    const fit = await pca(engine, zero, { standardize: true });
    expect([...fit.explainedVarianceRatio]).toEqual([0, 0, 0]);
    expect([...fit.scale]).toEqual([1, 1, 1]);
  });
});

/** a · b in float64. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, index) => {
    const [i, j] = [Math.floor(index / size), index % size];
    let sum = 0;
    for (let k = 0; k < size; k++) sum += at(a, i * size + k) * at(b, k * size + j);
    return sum;
  });
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((top, value) => Math.max(top, Math.abs(value)), 0);

/** max |X A X − X| / max |X|, of either order. */
function penrose(x: ArrayLike<number>, a: ArrayLike<number>, size: number): number {
  const again = product(product(x, a, size), x, size);
  return largest(again.map((value, index) => value - at(x, index))) / largest(x);
}

describe("pinvh", () => {
  const invert = async ({ size, values }: Matrix) =>
    pinvh(engine, engine.tensor(values, [size, size]));

  for (const { title, matrix, rank } of [
    { title: "full rank", matrix: gram(20, 60, 2), rank: 20 },
    { title: "rank 4 of 30", matrix: gram(30, 4, 3), rank: 4 },
    { title: "zero", matrix: { size: 5, values: new Float32Array(25) }, rank: 0 },
  ])
    it(title, async () => {
      const found = await invert(matrix);
      const inverse = await found.inverse.floats();
      expect(found.rank).toBe(rank);
      if (rank === 0) expect(largest(inverse)).toBe(0);
      else {
        expect(penrose(matrix.values, inverse, matrix.size)).toBeLessThanOrEqual(1e-4);
        expect(penrose(inverse, matrix.values, matrix.size)).toBeLessThanOrEqual(1e-4);
      }
    });

  it("cuts at rcond and says how many directions remain", async () => {
    const values = new Float32Array([1, 0, 0, 0, 1e-2, 0, 0, 0, 1e-5]);
    const a = engine.tensor(values, [3, 3]);
    expect((await pinvh(engine, a)).rank).toBe(3);
    expect((await pinvh(engine, a, { rcond: 1e-4 })).rank).toBe(2);
  });

  it("refuses eigenvalues whose inverse f32 cannot hold", async () => {
    const a = engine.tensor(new Float32Array([1e-40]), [1, 1]);
    await expect(pinvh(engine, a)).rejects.toThrow(/pinvh: eigenvalues are too small to invert/);
  });
});
