/** Randomised singular values and principal directions against all of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { largestEigen, MomentAccumulator, pca, randomisedSvd } from "../../src/linalg/index.ts";
import { at } from "../../src/util/shape.ts";
import { distance, families, orthogonality } from "./families.ts";
import { symmetric } from "./matrices.ts";
import { singularValues64 } from "./oracle64.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const RANK = 6;

const dense = async (tensor: Tensor) => ({
  rows: at(tensor.shape, 0),
  cols: at(tensor.shape, 1),
  values: await tensor.floats(),
});

describe("randomisedSvd", () => {
  for (const [rows, cols] of [
    [6, 6],
    [150, 65],
    [65, 150],
  ] as const)
    for (const [name, bound] of [
      ["dense graded", 1e-6],
      ["graded columns", 1e-6],
      ["hilbert", 1e-6],
      ["rank-deficient", 2e-2], // falls as 1 − k/60: the hardest of all for a subspace
      ["huge", 5e-2], // random: flat but for its edge
      ["tiny", 5e-2],
      ["zero", 0],
    ] as const)
      it(`${name} [${rows}, ${cols}]`, async () => {
        const a = families[name](rows, cols);
        const live = engine.pool.live;
        const tensor = engine.tensor(a.values, [rows, cols]);
        const { u, values, v } = await randomisedSvd(engine, tensor, { rank: RANK });
        const expected = singularValues64(a).slice(0, RANK);
        expect(values).toHaveLength(RANK);
        expected.forEach((value, k) => {
          const error = Math.abs(value - at(values, k));
          expect(error).toBeLessThanOrEqual(bound * at(expected, 0));
        });
        for (const basis of [await dense(u), await dense(v)])
          expect(orthogonality(basis)).toBeLessThanOrEqual(1e-5);
        for (const held of [tensor, u, v]) held.dispose();
        expect(engine.pool.live).toBeLessThanOrEqual(live); // garbage of earlier tests may go meanwhile
      });

  it("draws from its seed", async () => {
    const a = engine.tensor(families.random(40, 30).values, [40, 30]);
    const find = async (seed: number): Promise<Float32Array> => {
      const options = { rank: 2, oversample: 1, powerIterations: 0, seed };
      return (await randomisedSvd(engine, a, options)).u.floats();
    };
    expect(await find(1)).toEqual(await find(1));
    expect(await find(1)).not.toEqual(await find(2));
  });

  it("comes closer with more rounds", async () => {
    const made = families.random(120, 60);
    const a = engine.tensor(made.values, [120, 60]);
    const [largest = 0] = singularValues64(made);
    const errors: number[] = [];
    for (const powerIterations of [0, 2, 8]) {
      const { values } = await randomisedSvd(engine, a, {
        rank: 1,
        oversample: 3,
        powerIterations,
      });
      errors.push(largest - at(values, 0));
    }
    expect(at(errors, 0)).toBeGreaterThan(2 * at(errors, 1));
    expect(at(errors, 1)).toBeGreaterThan(2 * at(errors, 2));
  });

  it("refuses ranks that there are not, and Inf", async () => {
    for (const rank of [0, 4, 1.5])
      await expect(randomisedSvd(engine, engine.zeros([5, 3]), { rank })).rejects.toThrow(
        `randomisedSvd: rank ${rank} is not between 1 and the smaller side; got a [5, 3]`,
      );
    const bad = engine.tensor(new Float32Array([1, Infinity, 3, 4]), [2, 2]);
    await expect(randomisedSvd(engine, bad, { rank: 1 })).rejects.toThrow(/a holds NaN or Inf/);
  });
});

describe("pca of fewer components", () => {
  const fit = async () => {
    const a = families["dense graded"](300, 40);
    const moments = new MomentAccumulator(engine, 40);
    await moments.add(engine.tensor(a.values, [300, 40]));
    return moments.finish();
  };

  it("finds the first of all, either way", async () => {
    const moments = await fit();
    const all = await pca(engine, moments);
    for (const solver of ["full", "randomised"] as const) {
      const part = await pca(engine, moments, { components: RANK, solver });
      expect(part.components.shape).toEqual([40, RANK]);
      expect(part.residual).toBeLessThanOrEqual(1e-5);
      const largest = at(all.explainedVariance, 0);
      for (let k = 0; k < RANK; k++) {
        const [wanted, found] = [at(all.explainedVariance, k), at(part.explainedVariance, k)];
        expect(Math.abs(wanted - found)).toBeLessThanOrEqual(1e-6 * largest);
        const ratio = at(part.explainedVarianceRatio, k) - at(all.explainedVarianceRatio, k);
        expect(Math.abs(ratio)).toBeLessThanOrEqual(1e-6);
      }
      expect(orthogonality(await dense(part.components))).toBeLessThanOrEqual(1e-5);
    }
  });

  it("refuses components that there are not", async () => {
    await expect(pca(engine, await fit(), { components: 41 })).rejects.toThrow(
      /pca: components 41 is not between 1 and the features; got mean \[40\]/,
    );
  });
});

describe("largestEigen", () => {
  it("takes eigenvalues of both signs", async () => {
    const { size, values } = symmetric(64, 1);
    const host = Float64Array.from(values, (value, index) => {
      const [row, column] = [Math.floor(index / size), index % size];
      const sign = row === column ? (row < 3 ? 100 * (row + 1) : row < 5 ? -150 * row : 0) : 0;
      return sign + value;
    });
    const found = await largestEigen(engine, host, size, { rank: 5 });
    const vectors = await dense(found.vectors);
    expect(orthogonality(vectors)).toBeLessThanOrEqual(1e-5);
    expect(found.residual).toBeLessThanOrEqual(1e-5);
    const signs = [...found.values].map(Math.sign);
    expect(signs).toEqual([1, 1, 1, -1, -1]);
    expect([...found.values]).toEqual([...found.values].sort((a, b) => b - a));
    const lengths = Float64Array.from(found.values, Math.abs).sort((a, b) => b - a);
    const expected = singularValues64({ rows: size, cols: size, values: host }).slice(0, 5);
    const one = { rows: 5, cols: 1 };
    expect(
      distance({ ...one, values: Float64Array.from(expected) }, { ...one, values: lengths }),
    ).toBeLessThanOrEqual(1e-6);
  });
});
