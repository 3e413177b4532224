/** The queue's own clock: what lies between two marks, told apart from waiting and from the host. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, InputTensors } from "../../src/engine/index.ts";
import { QueueTimer } from "../../src/engine/profile.ts";

const SIDE = 512; // milliseconds on a software adapter
const SLEEP_MS = 300; // far above one product

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const sleep = (): Promise<void> => new Promise((done) => setTimeout(done, SLEEP_MS));

it("counts the work between the marks, not the host's sleep after it", async (context) => {
  if (!engine.caps.features.has("timestamp-query")) context.skip("no timestamp-query");
  const x = engine.tensor(new Float32Array(SIDE * SIDE).fill(1), [SIDE, SIDE]);
  const timer = new QueueTimer(engine);
  const products = async (count: number): Promise<number> => {
    timer.start();
    engine.scope(() => {
      for (let k = 0; k < count; k++) engine.ops.matmul(x, x);
    });
    timer.stop();
    if (count === 1) await sleep();
    return timer.milliseconds();
  };
  await products(1); // compiles
  const one = await products(1);
  expect(one).toBeGreaterThan(0);
  expect(one).toBeLessThan(SLEEP_MS);
  expect(await products(40)).toBeGreaterThan(4 * one);
  expect(await products(0)).toBeLessThan(0.5 * (await products(40)));
  timer.destroy();
});

it("spans submits: a program between the marks is inside", async (context) => {
  if (!engine.caps.features.has("timestamp-query")) context.skip("no timestamp-query");
  const square = program(engine, ({ x }: InputTensors<"x">) => engine.ops.matmul(x, x));
  const values = { x: { values: new Float32Array(SIDE * SIDE), shape: [SIDE, SIDE] } };
  await square.run(values);
  await engine.finish();
  const timer = new QueueTimer(engine);
  const start = performance.now();
  timer.start();
  for (let k = 0; k < 8; k++) await square.run(values);
  timer.stop();
  const ms = await timer.milliseconds();
  const wall = performance.now() - start;
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(1.05 * wall + 1); // clocks may drift apart, but not by much
  square.dispose();
  timer.destroy();
});
