/** The training loop: resume to the same bits, accumulation, a clean stop, NaN caught. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { memorySplit } from "../../src/data/dataset.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import type { MetricRow } from "../../src/report/index.ts";
import { at } from "../../src/util/shape.ts";
import {
  checkRecipe,
  initialValues,
  readCheckpoint,
  REFERENCE_RECIPE,
  trainRun,
  vitConfig,
} from "../../src/vit/index.ts";
import type { CheckpointFiles, Recipe, TrainOptions } from "../../src/vit/index.ts";
import { generator } from "../ops/samples.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const SIDE = 8;
const CLASSES = 3;
const config = {
  ...vitConfig("vit-nano-28"),
  name: "train-test",
  imageSize: SIDE,
  patch: 4,
  dim: 16,
  depth: 2,
  heads: 2,
  mlp: 24,
  classes: CLASSES,
  dropout: 0.1,
  attentionDropout: 0.1,
  dropPath: 0.1,
};

/** Images whose class is where their bright third lies: a net learns that in a few steps. */
function stripes(count: number, seed: number) {
  const random = generator(seed);
  const labels = Int32Array.from({ length: count }, (_, k) => k % CLASSES);
  const pixels = new Uint8Array(count * SIDE * SIDE);
  for (let image = 0; image < count; image++)
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const third = Math.floor((3 * Math.floor(pixel / SIDE)) / SIDE);
      const bright = third === at(labels, image) ? 160 : 20;
      pixels[image * SIDE * SIDE + pixel] = bright + Math.floor(60 * random());
    }
  return memorySplit(pixels, labels, SIDE * SIDE);
}

const dataset: ImageDataset = {
  name: "stripes",
  title: "Stripes",
  credit: "made by the test",
  classes: ["top", "middle", "bottom"],
  height: SIDE,
  width: SIDE,
  channels: 1,
  mean: [0.5],
  std: [0.5],
  splits: { train: stripes(60, 1), val: stripes(21, 2), test: stripes(30, 3) },
  hash: "none",
};

const recipe: Recipe = checkRecipe({
  ...REFERENCE_RECIPE,
  optimizer: "adamw",
  learningRate: 5e-3,
  weightDecay: 0.01,
  batchSize: 16,
  steps: 12,
  warmupSteps: 2,
  augmentation: { pad: 1, flip: true },
});

/** Runs training and keeps its files in memory. */
async function run(changes: Partial<TrainOptions> = {}) {
  const files = new Map<number, CheckpointFiles>();
  const rows: MetricRow[] = [];
  const before = engine.pool.live;
  const result = await trainRun({
    engine,
    dataset,
    config,
    recipe,
    initial: initialValues(config, 7),
    seed: 7,
    evalEvery: 4,
    store: {
      saveCheckpoint: (checkpoint) => {
        files.set(checkpoint.step, checkpoint);
        return Promise.resolve();
      },
      appendMetrics: (row) => {
        rows.push(row);
        return Promise.resolve();
      },
    },
    ...changes,
  }).catch((error: unknown) => error);
  await Promise.resolve();
  return { result, files, rows, leaked: engine.pool.live - before };
}

const weightsOf = (files: ReadonlyMap<number, CheckpointFiles>, step: number): Uint8Array => {
  const found = files.get(step);
  if (!found) throw new Error(`no checkpoint of step ${step}`);
  return found.weights;
};

describe("trainRun", () => {
  it("learns, evaluates on held-out data, and frees everything", async () => {
    const { result, files, rows, leaked } = await run({ recipe: { ...recipe, steps: 40 } });
    expect(result).toMatchObject({ steps: 40, test: { count: 30 } });
    const test = rows.findLast((row) => row.type === "eval" && row.split === "test");
    expect(test?.type === "eval" ? test.accuracy : 0).toBeGreaterThan(0.9);
    expect([...files.keys()]).toContain(40);
    expect(leaked).toBe(0);
  });

  it("goes on from a checkpoint to the same bits", async () => {
    const whole = await run();
    const again = await run();
    expect(weightsOf(again.files, 12)).toEqual(weightsOf(whole.files, 12));
    const half = whole.files.get(4);
    if (!half) throw new Error("no checkpoint of step 4");
    const { config: kept, ...resume } = await readCheckpoint(half, "step-4");
    expect(kept).toEqual(config);
    const resumed = await run({ resume });
    expect(weightsOf(resumed.files, 12)).toEqual(weightsOf(whole.files, 12));
    expect(resumed.files.get(12)?.optimizer).toEqual(whole.files.get(12)?.optimizer);
  });

  it("gives nearly the same with accumulation", async () => {
    const plain = { ...recipe, augmentation: { pad: 0, flip: false }, steps: 3 };
    const still = { ...config, dropout: 0, attentionDropout: 0, dropPath: 0 };
    const one = await run({ recipe: plain, config: still });
    const four = await run({ recipe: { ...plain, accumulate: 4 }, config: still });
    const a = new Float32Array(weightsOf(one.files, 3).slice(-4000).buffer);
    const b = new Float32Array(weightsOf(four.files, 3).slice(-4000).buffer);
    a.forEach((value, k) => {
      expect(Math.abs(value - at(b, k))).toBeLessThan(1e-3);
    });
    const losses = (rows: readonly MetricRow[]) =>
      rows.flatMap((row) => (row.type === "train" ? [row.loss] : []));
    expect(Math.abs(at(losses(one.rows), 0) - at(losses(four.rows), 0))).toBeLessThan(1e-4);
  });

  it.each([1, 2])("recomputes to the same bits, with %i micro-batches", async (accumulate) => {
    const kept = await run({ recipe: { ...recipe, accumulate } });
    const said: string[] = [];
    vi.stubEnv("DEBUG", "program");
    const log = vi.spyOn(console, "log").mockImplementation((line: string) => said.push(line));
    const again = await run({ recipe: { ...recipe, accumulate, recompute: true } });
    log.mockRestore();
    vi.unstubAllEnvs();
    expect(said.join("\n")).toMatch(/[1-9]\d* run twice/);
    expect(weightsOf(again.files, 12)).toEqual(weightsOf(kept.files, 12));
    expect(again.leaked).toBe(0);
  });

  it.for([1, 2])("does both in f16, with %i micro-batches", async (accumulate, context) => {
    if (!engine.caps.features.has("shader-f16")) context.skip("this adapter has no shader-f16");
    const half: Recipe = { ...recipe, precision: "f16", accumulate };
    const whole = await run({ recipe: half });
    const four = whole.files.get(4);
    if (!four) throw new Error("no checkpoint of step 4");
    const { config: kept, ...resume } = await readCheckpoint(four, "step-4");
    expect(kept).toEqual(config);
    expect(resume.lossScale?.slice(1)).toEqual([0, 2 ** 16, 4]);
    const resumed = await run({ recipe: half, resume });
    expect(weightsOf(resumed.files, 12)).toEqual(weightsOf(whole.files, 12));
    expect(resumed.files.get(12)?.optimizer).toEqual(whole.files.get(12)?.optimizer);
    const plain = await run({ recipe: { ...recipe, accumulate } });
    const losses = [whole, plain].map(({ rows }) =>
      rows.flatMap((row) => (row.type === "train" ? [row.loss] : [])),
    );
    at(losses, 0).forEach((loss, k) => {
      expect(Math.abs(loss - at(at(losses, 1), k))).toBeLessThan(2e-2);
    });
    expect(losses[0]).not.toEqual(losses[1]);
    expect(whole.leaked).toBe(0);
  });

  it("stops on a signal with a checkpoint that says how to go on", async () => {
    const controller = new AbortController();
    const stopped = await run({
      signal: controller.signal,
      onStep: (step) => {
        if (step === 5) controller.abort();
        return Promise.resolve();
      },
    });
    expect(String(stopped.result)).toMatch(/stopped at step 5; go on with --resume/);
    expect([...stopped.files.keys()]).toEqual([4, 5]);
  });

  it("saves by the clock too, so that a killed run has something to go on from", async () => {
    let seconds = 0;
    const { files } = await run({
      recipe: { ...recipe, steps: 35 },
      evalEvery: 100,
      saveEvery: 1,
      now: () => seconds++,
    });
    expect([...files.keys()]).toEqual([10, 20, 30, 35]);
    const slow = await run({ evalEvery: 100, saveEvery: 1e9, now: () => seconds++ });
    expect([...slow.files.keys()]).toEqual([12]);
  });

  it("stops at a NaN loss, says where, and keeps the last good checkpoint", async () => {
    const { result, files } = await run({
      recipe: { ...recipe, learningRate: 1e30, maxGradNorm: 0 },
    });
    expect(String(result)).toMatch(
      /the loss became (NaN|Infinity) (between steps \d+ and|at step) \d+/,
    );
    expect([...files.keys()].every((step) => step < 12)).toBe(true);
  });
});
