/** K-means against float64, where clusters are tight and lie far out: f32 has 7 digits for both. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { kMeans, seedRows } from "../../src/neco/clusters.ts";
import type { Rows } from "../../src/neco/rowChunks.ts";
import { normal } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";

const [count, dim, groups] = [300, 20, 5];

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

/** Rows around a few means of size 1. */
function tightRows(deviation: number): Rows {
  const means = normal(groups * dim, { seed: 1 });
  const noise = normal(count * dim, { seed: 2, std: deviation });
  const values = noise.map(
    (own, index) => own + at(means, (Math.floor(index / dim) % groups) * dim + (index % dim)),
  );
  return { values, count, dim };
}

/** Lloyd's turns from the same seeds, every distance by its definition. */
function kMeans64(rows: Rows, wanted: number): number[] {
  const points = Array.from({ length: count }, (_, row) => [
    ...rows.values.subarray(row * dim, (row + 1) * dim),
  ]);
  const gap = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, j) => sum + (value - at(b, j)) ** 2, 0);
  const nearest = (centres: number[][]): number[] =>
    points.map((point) => {
      const gaps = centres.map((centre) => gap(point, centre));
      return gaps.indexOf(Math.min(...gaps));
    });
  let labels = nearest(seedRows(rows, wanted).map((row) => at(points, row)));
  for (;;) {
    const centres = Array.from({ length: wanted }, (_, k) => {
      const own = points.filter((__, row) => labels[row] === k);
      return at(points, 0).map((__, j) => own.reduce((sum, x) => sum + at(x, j), 0) / own.length);
    });
    const next = nearest(centres);
    if (next.every((label, row) => label === labels[row])) return labels;
    labels = next;
  }
}

describe.each([1, 1e-3, 1e-4])("deviation %f", (deviation) => {
  test.each([groups, 4 * groups])("%d clusters", async (wanted) => {
    const rows = tightRows(deviation);
    const { labels } = await kMeans(engine, rows, wanted);
    expect([...labels]).toEqual(kMeans64(rows, wanted));
  });
});
