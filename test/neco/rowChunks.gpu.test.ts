/** Rows that are visited turn after turn, kept on the GPU or not. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { RowChunks } from "../../src/neco/rowChunks.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const DIM = 3;
const COUNT = 50; // 8 chunks of 6 rows and one of 2: more than are ever queued

const rows = {
  values: Float32Array.from({ length: COUNT * DIM }, (_, index) => index),
  count: COUNT,
  dim: DIM,
};

describe.each([
  ["kept", Infinity],
  ["uploaded each turn", 0],
])("%s", (_name, mostKept) => {
  test("every chunk comes once, in order and whole, turn after turn", async () => {
    const before = engine.pool.live;
    const chunks = new RowChunks(engine, rows, 6, mostKept);
    for (let turn = 0; turn < 2; turn++) {
      const doubled: number[] = [];
      const sums: number[] = [];
      await chunks.each(
        (x) => [engine.ops.affine(x, { scale: 2 }), engine.ops.sum(x, { axes: [1] })],
        ([own, sum], start, end) => {
          expect(doubled.length).toBe(start * DIM);
          expect(sum?.length).toBe(end - start);
          doubled.push(...(own ?? []));
          sums.push(...(sum ?? []));
        },
      );
      expect(doubled).toEqual(Array.from(rows.values, (value) => 2 * value));
      expect(sums).toEqual(Array.from({ length: COUNT }, (_, row) => 3 * (3 * row + 1)));
    }
    chunks.dispose();
    expect(engine.pool.live).toBe(before);
  });
  test("an error on the way leaves nothing behind", async () => {
    const before = engine.pool.live;
    const chunks = new RowChunks(engine, rows, 6, mostKept);
    const run = chunks.each(
      (x, start) => {
        if (start > 20) throw new Error("no more");
        return [engine.ops.square(x)];
      },
      () => undefined,
    );
    await expect(run).rejects.toThrow("no more");
    chunks.dispose();
    expect(engine.pool.live).toBe(before);
  });
});
