/** The bare loop beside a program does the program's work, and both are timed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { dispatchesOf, encodeBare, measureBare } from "../../bench/bare.ts";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const cost = () => ({ flops: 0, bytes: 0 });
const x = new Float32Array([1, 2, 3]);

/** sum ← sum + 2 x, as two passes. */
const adding = (on: Engine) => {
  const sum = on.zeros([3]);
  const replayed = program(
    on,
    (inputs: { x: Tensor }) => {
      on.ops.addInPlace(sum, on.ops.add(inputs.x, inputs.x));
    },
    { fuse: false },
  );
  return { sum, run: () => replayed.run({ x }) };
};

test("dispatches that were seen do the same again", async () => {
  const { sum, run } = adding(engine);
  await run();
  const dispatches = await dispatchesOf(engine, run);
  expect(dispatches).toHaveLength(2);
  expect([...(await sum.data())]).toEqual([4, 8, 12]);
  encodeBare(engine.gpu, dispatches);
  expect([...(await sum.data())]).toEqual([6, 12, 18]);
});

test("a program's row is timed beside its loop, round by round", async () => {
  const row = { name: "add", shape: "[3]", variant: "program", kind: "op", picked: true } as const;
  const options = { timer: "wall", samples: 4, budgetMs: 1000 } as const;
  const found = await measureBare({ ...row, prepare: (on) => ({ ...adding(on), cost }) }, options);
  expect(found).toMatchObject({ name: "add", dispatches: 2, ratio: { rounds: 4 } });
  expect(found.replayed.best).toBeGreaterThan(0);
  expect(found.bare.best).toBeGreaterThan(0);
});
