/** Neural collapse against a float64 oracle, and on features whose geometry is known. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { neuralCollapse } from "../../src/neco/index.ts";
import { compareCollapse } from "./compare.ts";
import type { Tree } from "./compare.ts";
import { golden, openRegime, regimes } from "./regimes.ts";
import type { RegimeData } from "./regimes.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

describe("against the oracle", () => {
  test.each(regimes)("%s: NC1–NC5, with OOD and alone", async (regime) => {
    const { train, near, far, head } = await openRegime(regime);
    const got = await neuralCollapse(engine, { features: train, weights: head, ood: [near, far] });
    compareCollapse(regime, got, golden.regimes[regime].nc as unknown as Tree);
  });
});

describe("regularised cross-entropy", () => {
  /** Mean −log p_y in float64, of logits h·Wᵀ + b. */
  async function crossEntropy({ train, head: { weight, bias, classes, dim } }: RegimeData) {
    const h = await train.features(0, train.rows);
    let total = 0;
    for (let row = 0; row < train.rows; row++) {
      const z = Array.from({ length: classes }, (_, c) => {
        let sum: number = bias?.[c] ?? 0;
        for (let j = 0; j < dim; j++) sum += h[row * dim + j]! * weight[c * dim + j]!;
        return sum;
      });
      const own = z[train.labels![row]!]!;
      const others = z.filter((_, c) => c !== train.labels![row]);
      total += Math.log1p(others.reduce((sum, value) => sum + Math.exp(value - own), 0));
    }
    return total / train.rows;
  }

  test.each(regimes)("%s: as float64 has it", async (regime) => {
    const data = await openRegime(regime);
    const { train: features, head: weights } = data;
    const loss = { kind: "ce", weightDecay: 0.1, squares: 12 } as const;
    const { loss: got } = await neuralCollapse(engine, { features, weights, loss });
    const want = await crossEntropy(data);
    expect(Math.abs(got!.mean - want)).toBeLessThanOrEqual(1e-5 * want + 1e-9);
    expect(got).toMatchObject({ parameters: "network", weight_decay: 0.1 });
    expect(got!.penalty).toBeCloseTo(0.6, 12);
    expect(got!.total).toBe(got!.mean + got!.penalty);
  });

  test("keeps its digits where classes have collapsed", async () => {
    const features = repeated(etf(5), 5, 4);
    const weights = head(
      etf(5).map((value) => 30 * value),
      5,
    );
    const loss = { kind: "ce", weightDecay: 0 } as const;
    const { loss: got } = await neuralCollapse(engine, { features, weights, loss });
    expect(got!.mean / (4 * Math.exp(-30))).toBeCloseTo(1, 4);
    expect([got!.penalty, got!.parameters]).toEqual([0, "head"]);
  });

  test("is measured only where it is asked for, with a weight decay from 0 on", async () => {
    const asked = { features: repeated(etf(5), 5, 4), weights: head(etf(5), 5) };
    expect(await neuralCollapse(engine, asked)).not.toHaveProperty("loss");
    const loss = { kind: "ce", weightDecay: -1 } as const;
    await expect(neuralCollapse(engine, { ...asked, loss })).rejects.toThrow(/at least 0, not -1/);
  });
});

test("logits of another head and an OOD set that is the training set are told", async () => {
  const { train, head } = await openRegime("plain");
  const features = await train.features(0, train.rows);
  const { dim, labels } = train;
  const logits = new Float32Array(train.rows * head.classes).fill(1);
  const own = memoryFeatures("own", { features, dim, labels, logits });
  const warnings: string[] = [];
  const onWarning = (warning: string): number => warnings.push(warning);
  await neuralCollapse(engine, { features: own, weights: head, ood: [train], onWarning });
  expect(warnings).toEqual([
    expect.stringMatching(/^train holds the same 32-dimensional rows as own/),
    expect.stringMatching(/^own: the file's logits differ from h·Wᵀ \+ b by up to/),
  ]);
});

/** Vertices of a simplex ETF of C classes in C dimensions: δ_ij − 1/C. */
const etf = (classes: number): Float32Array =>
  Float32Array.from(
    { length: classes * classes },
    (_, index) => (Math.floor(index / classes) === index % classes ? 1 : 0) - 1 / classes,
  );

function repeated(rows: Float32Array, dim: number, times: number): FeatureSource {
  const count = rows.length / dim;
  const features = new Float32Array(rows.length * times);
  for (let time = 0; time < times; time++) features.set(rows, time * rows.length);
  const labels = Int32Array.from({ length: count * times }, (_, sample) => sample % count);
  return memoryFeatures("made", { features, dim, labels });
}

const head = (weight: Float32Array, dim: number): Head => ({
  weight,
  bias: null,
  dim,
  classes: weight.length / dim,
});

describe("known geometry", () => {
  test("features at simplex-ETF vertices with W = Mᵀ: everything is zero", async () => {
    const vertices = etf(5);
    const nc = await neuralCollapse(engine, {
      features: repeated(vertices, 5, 20),
      weights: head(vertices, 5),
    });
    expect(nc.nc1).toBeLessThan(1e-10);
    expect(nc.nc2.equinorm_means).toBeLessThan(1e-6);
    expect(nc.nc2.equiangularity_means).toBeLessThan(1e-6);
    expect(nc.nc2.equinorm_weights).toBeLessThan(1e-6);
    expect(nc.nc2.equiangularity_weights).toBeLessThan(1e-6);
    expect(nc.nc3).toBeLessThan(1e-10);
    expect([nc.nc4, nc.accuracy]).toEqual([0, 1]);
  });

  test("NC5: OOD orthogonal to all class means gives 0, OOD at one of C orthonormal means 1/C", async () => {
    const dim = 6;
    const means = new Float32Array(4 * dim);
    for (let c = 0; c < 4; c++) means[c * dim + c] = 1;
    const orthogonal = Float32Array.from([0, 0, 0, 0, 0, 3]);
    const { nc5 } = await neuralCollapse(engine, {
      features: repeated(means, dim, 3),
      weights: head(means, dim),
      ood: [
        memoryFeatures("orthogonal", { features: orthogonal, dim }),
        memoryFeatures("first", { features: means.slice(0, dim), dim }),
      ],
    });
    expect(nc5["orthogonal"]).toBeCloseTo(0, 6);
    expect(nc5["first"]).toBeCloseTo(1 / 4, 6);
  });

  test("a class without samples is left out, of W too", async () => {
    const vertices = etf(4);
    const { labels, ...rest } = repeated(vertices, 4, 10);
    const weight = new Float32Array(5 * 4); // class 1 never occurs
    weight.set(vertices.subarray(0, 4), 0);
    weight.set([9, -9, 9, -9], 4);
    weight.set(vertices.subarray(4), 8);
    const moved = labels!.map((label) => (label === 0 ? 0 : label + 1));
    const nc = await neuralCollapse(engine, {
      features: { ...rest, labels: moved },
      weights: head(weight, 4),
    });
    expect(nc.nc3).toBeLessThan(1e-10);
    expect(nc.nc2.equinorm_weights).toBeLessThan(1e-6);
  });

  test("the GPU does the work: dispatches are counted", async () => {
    const before = engine.eager.dispatches;
    await neuralCollapse(engine, { features: repeated(etf(5), 5, 4), weights: head(etf(5), 5) });
    expect(engine.eager.dispatches - before).toBeGreaterThan(10);
  });
});

describe("bad input", () => {
  const vertices = etf(3);
  test("labels are missing", async () => {
    const features = memoryFeatures("bare", { features: vertices, dim: 3 });
    await expect(neuralCollapse(engine, { features, weights: head(vertices, 3) })).rejects.toThrow(
      /bare: neural collapse needs class labels/,
    );
  });
  test("one class only", async () => {
    const labels = Int32Array.from([1, 1, 1]);
    const features = memoryFeatures("mono", { features: vertices, dim: 3, labels });
    await expect(neuralCollapse(engine, { features, weights: head(vertices, 3) })).rejects.toThrow(
      /mono: neural collapse needs at least 2 classes, found 1/,
    );
  });
  test("an empty OOD set, and one of another width", async () => {
    const input = { features: repeated(vertices, 3, 2), weights: head(vertices, 3) };
    const empty = memoryFeatures("none", { features: new Float32Array(), dim: 3 });
    await expect(neuralCollapse(engine, { ...input, ood: [empty] })).rejects.toThrow(
      /OOD set none is empty/,
    );
    const narrow = memoryFeatures("narrow", { features: new Float32Array(4), dim: 2 });
    await expect(neuralCollapse(engine, { ...input, ood: [narrow] })).rejects.toThrow(
      /narrow has 2 feature columns, made has 3/,
    );
  });
});
