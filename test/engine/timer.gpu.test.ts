/** The queue's own clock: what lies between two marks, told apart from waiting and from the host. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, InputTensors } from "../../src/engine/index.ts";
import { QueueTimer } from "../../src/engine/profile.ts";

const SIDE = 512; // milliseconds on a software adapter
/** The clocks of host and GPU may drift apart, but not by more. */
const CLOCKS = 1.05;
const SLEEP_MS = 200; // longer than the slack of the clocks: it would show

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
  const products = async (count: number): Promise<{ ms: number; wall: number }> => {
    const start = performance.now();
    timer.start();
    engine.scope(() => {
      for (let k = 0; k < count; k++) engine.ops.matmul(x, x);
    });
    timer.stop();
    await engine.finish();
    const wall = performance.now() - start;
    await sleep();
    return { ms: await timer.milliseconds(), wall };
  };
  // A busy machine stretches single runs: the shortest of three is least disturbed.
  const least = async (count: number): Promise<number> =>
    Math.min(
      ...[await products(count), await products(count), await products(count)].map(({ ms }) => ms),
    );
  await products(1); // compiles
  const { ms, wall } = await products(1);
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(CLOCKS * wall + 1);
  const many = await least(40);
  expect(many).toBeGreaterThan(4 * (await least(1)));
  expect(await least(0)).toBeLessThan(0.5 * many);
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
  expect(ms).toBeLessThanOrEqual(CLOCKS * wall + 1);
  square.dispose();
  timer.destroy();
});
