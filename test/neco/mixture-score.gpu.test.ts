/** Log-densities under mixtures whose means lie far out, against float64: as exact as their size, not as ‖m‖². */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { disposeScored, nearTerms, scoredMixture } from "../../src/neco/mixtureScore.ts";
import { normal } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";

const [rowCount, dim, count] = [64, 8, 5];

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

describe.each([4, 60, 300])("means %f long", (length) => {
  const far = normal(dim, { seed: 1, std: length / Math.sqrt(dim) });
  const apart = normal(count * dim, { seed: 2 });
  const means = apart.map((value, index) => value + at(far, index % dim));
  const x = normal(rowCount * dim, { seed: 3 }).map((value, index) => value + at(far, index % dim));
  const whiten = Float32Array.from({ length: dim * dim }, (_, index) =>
    index % (dim + 1) === 0 ? 1 : 0,
  );
  const weights = Float32Array.from({ length: count }, (_, k) => (k + 1) / 16);

  test("terms keep the digits of their size, and rows stay apart", async () => {
    const mixture = scoredMixture(engine, { means, whiten, weights });
    const rows = engine.tensor(x, [rowCount, dim]);
    const made = engine.scope(() => nearTerms(engine, rows, mixture));
    const got = await made.floats();
    const want = Array.from(got, (_, index) => {
      const [row, k] = [Math.floor(index / count) * dim, (index % count) * dim];
      let square = 0;
      for (let j = 0; j < dim; j++) square += (at(x, row + j) - at(means, k + j)) ** 2;
      return Math.log(at(weights, index % count)) - square / 2;
    });
    const largest = Math.max(...want.map(Math.abs));
    const worst = Math.max(...want.map((value, index) => Math.abs(value - at(got, index))));
    const rounding = 2 ** -20 * Math.max(1, length / 60); // of ⟨z, m⟩ where means are that long
    expect(worst).toBeLessThan(largest * rounding);
    expect(new Set(got).size).toBe(new Set(want).size);
    for (const tensor of [rows, made]) tensor.dispose();
    disposeScored(mixture);
  });
});
