/** Gram, RankFeat, AdaScale, Mahalanobis ensemble and dropout against float64. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { at } from "../../src/util/shape.ts";
import { adascale64, gram64, mdsEnsemble64, oracleHead, rankfeat64 } from "./image-oracles.ts";
import { config, expectClose, TinyWorld } from "./images.ts";
import { softmax64 } from "./vit64.ts";

let engine: Engine;
let world: TinyWorld;

beforeAll(async () => {
  engine = await createEngine();
  world = new TinyWorld(engine);
});
afterAll(() => {
  engine.destroy();
});

describe("gram", () => {
  test.each([1, 5])("orders up to %d", async (powers) => {
    const want = gram64(world.oracle, world, powers);
    expectClose(await world.scoresOf("gram", { powers }), want, 1e-3);
  });
});

describe("rankfeat", () => {
  test("to the end of the iteration", async () => {
    const params = { temperature: 2, iterations: 100 };
    const want = world.id.xs.map((x) => rankfeat64(world.oracle, x, 2));
    expectClose(await world.scoresOf("rankfeat", params), want, 1e-5);
  });
  test("20 iterations come near", async () => {
    const want = world.id.xs.map((x) => rankfeat64(world.oracle, x, 1));
    expectClose(await world.scoresOf("rankfeat"), want, 1e-2);
  });
});

describe("adascale", () => {
  const choices = [
    { low: 75, high: 85, k1: 5, k2: 1, lambda: 10, share: 0.05 },
    { low: 20, high: 90, k1: 40, k2: 30, lambda: 2, share: 0.3 },
  ];
  test.each(choices)("percentiles $low-$high", async ({ low, high, ...movement }) => {
    const { a, l } = adascale64(world.oracle, world, { low, high, ...movement });
    const params = { percentiles: `${low}-${high}`, ...movement };
    expectClose(await world.scoresOf("adascale-a", params), a, 1e-4);
    expectClose(await world.scoresOf("adascale-l", params), l, 1e-4);
  });
  test("percentiles that are no pair", async () => {
    await expect(world.scoresOf("adascale-a", { percentiles: "85-75" })).rejects.toThrow(
      /adascale-a.percentiles must be two percentages between 0 and 100, the lower first/,
    );
  });
});

describe("mds-ensemble", () => {
  test("distances after a step", async () => {
    const noise = 0.01;
    expectClose(
      await world.scoresOf("mds-ensemble", { noise }),
      mdsEnsemble64(world.oracle, world, noise),
      1e-4,
    );
  });
});

describe("dropout", () => {
  test("mean softmax over the masks of the state, which the seed decides", async () => {
    const { fitted, scores } = await world.fitted("dropout", { passes: 7, rate: 0.25 });
    const { shape, values } = fitted.state.arrays["masks"]!;
    expect(shape).toEqual([7, config.dim]);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    const want = world.id.features.map((h) => {
      const means = new Array<number>(config.classes).fill(0);
      for (let pass = 0; pass < 7; pass++) {
        const masked = h.map((value, d) => value * at(values, pass * config.dim + d));
        softmax64(oracleHead(world.oracle, masked)).forEach((p, c) => {
          means[c] = at(means, c) + p / 7;
        });
      }
      return Math.log(Math.max(...means));
    });
    expectClose(scores, want, 1e-5);
    const again = await world.fitted("dropout", { passes: 7, rate: 0.25 });
    expect(again.fitted.state).toEqual(fitted.state);
    const other = await world.fitted("dropout", { passes: 7, rate: 0.25, seed: 1 });
    expect(other.fitted.state.arrays).not.toEqual(fitted.state.arrays);
  });
  test("drops as often as told", async () => {
    const { fitted } = await world.fitted("dropout", { passes: 60, rate: 0.25 });
    const { values } = fitted.state.arrays["masks"]!;
    const share = values.filter((value) => value === 0).length / values.length;
    expect(Math.abs(share - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / values.length));
  });
});
