/** Comparisons with the whole training set: chunk by chunk, once for all scores that ask. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import { evaluateOod } from "../../src/neco/index.ts";
import { stopwatch } from "../../src/neco/stopwatch.ts";
import { at } from "../../src/util/shape.ts";
import { normal } from "../../src/util/random.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});
afterEach(() => vi.restoreAllMocks());

const DIM = 8;
const CLASSES = 5;
const TRAIN = 4500; // three chunks beside a block of the test set, which are two
const TEST = 2000;

const features = (rows: number, seed: number, mean = 0): Float32Array =>
  normal(rows * DIM, { seed, mean });
const head = {
  weight: normal(CLASSES * DIM, { seed: 1 }),
  bias: normal(CLASSES, { seed: 2 }),
  classes: CLASSES,
  dim: DIM,
};
const train = features(TRAIN, 3);
const id = features(TEST, 4);

function evaluate(methods: readonly string[], k: number) {
  return evaluateOod({
    engine,
    train: memoryFeatures("train", { features: train, dim: DIM }),
    id: memoryFeatures("test", { features: id, dim: DIM }),
    head,
    ood: [
      { source: memoryFeatures("far", { features: features(30, 5, 1), dim: DIM }), group: "far" },
    ],
    methods,
    options: { methodParams: { knn: { k } } },
  });
}

/** Row of a matrix divided by its length, in float64. */
function unit(values: Float32Array, row: number): number[] {
  const own = [...values.subarray(row * DIM, (row + 1) * DIM)];
  const length = Math.hypot(...own);
  return own.map((value) => value / length);
}

function softmax(values: Float32Array, row: number): number[] {
  const own = values.subarray(row * DIM, (row + 1) * DIM);
  const z = Array.from({ length: CLASSES }, (_, c) =>
    own.reduce((sum, h, j) => sum + h * at(head.weight, c * DIM + j), at(head.bias, c)),
  );
  const e = z.map((value) => Math.exp(value - Math.max(...z)));
  const total = e.reduce((sum, value) => sum + value, 0);
  return e.map((value) => value / total);
}

const inner = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, j) => sum + value * at(b, j), 0);

const LOOKED_AT = [0, 7, TEST - 1]; // rows of the ID test set

describe("over several chunks", () => {
  // Within a chunk, and so many that the first chunks hold fewer.
  test.each([1, 50, 3000])("the %i nearest, against float64", async (k) => {
    const { scores } = await evaluate(["knn"], k);
    const bank = Array.from({ length: TRAIN }, (_, row) => unit(train, row));
    for (const row of LOOKED_AT) {
      const own = unit(id, row);
      const cosines = bank.map((other) => inner(own, other)).sort((a, b) => b - a);
      expect(Math.abs(at(scores["knn/id"]!, row) - (2 * at(cosines, k - 1) - 2))).toBeLessThan(
        2e-6,
      );
    }
  });
  test("the sum of all ties, against float64", async () => {
    const { scores } = await evaluate(["relation"], 1);
    const bank = Array.from({ length: TRAIN }, (_, row) => unit(train, row));
    const theirs = Array.from({ length: TRAIN }, (_, row) => softmax(train, row));
    for (const row of LOOKED_AT) {
      const [own, p] = [unit(id, row), softmax(id, row)];
      const ties = bank.map((other, i) => Math.max(0, inner(own, other)) * inner(p, at(theirs, i)));
      // A tie within rounding of the threshold may count or not.
      const unsure = ties.filter((tie) => Math.abs(tie - 0.03) < 1e-6).length * 0.03;
      const sum = ties.filter((tie) => tie > 0.03).reduce((total, tie) => total + tie, 0);
      expect(Math.abs(at(scores["relation/id"]!, row) - sum)).toBeLessThan(2e-6 * sum + unsure);
    }
  });
});

test("scores that search the same bank share its products, to the same bits", async () => {
  const searches = async (methods: readonly string[]) => {
    const matmul = vi.spyOn(engine.ops, "matmul");
    const { scores } = await evaluate(methods, 50);
    // [B, D] times a chunk of the bank, [M, D] transposed.
    const count = matmul.mock.calls.filter(
      ([, b, , attrs]) =>
        attrs?.transposeB === true && b.shape[1] === DIM && b.shape[0] !== CLASSES,
    ).length;
    matmul.mockRestore();
    return { scores, count };
  };
  const [knn, relation] = [await searches(["knn"]), await searches(["relation"])];
  const both = await searches(["knn", "relation"]);
  expect(both.count).toBe(knn.count);
  // Three chunks beside each of the test set's two blocks, one beside the 30 rows of the other.
  expect(relation.count).toBe(2 * 3 + 1);
  // KNN's fit holds some training rows against all of them, to see how close they lie.
  expect(knn.count).toBe(relation.count + 1);
  expect(both.scores).toEqual({ ...knn.scores, ...relation.scores });
});

test("a stopwatch adds up seconds by phase and name, of failures too", async () => {
  let clock = 0;
  const { time, timings } = stopwatch(() => clock);
  const work = (milliseconds: number) => () => {
    clock += milliseconds;
    return Promise.resolve(milliseconds);
  };
  expect(await time("score", "knn", work(500))).toBe(500);
  await time("score", "knn", work(250));
  await expect(
    time("fit", "vim", async () => {
      await work(1000)();
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect(timings).toEqual({ score: { knn: 0.75 }, fit: { vim: 1 } });
});
