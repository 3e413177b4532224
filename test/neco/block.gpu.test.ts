/** Blocks of a source: order, errors in their turn, and no memory left behind. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import { eachBlock } from "../../src/neco/block.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const ROWS = 7;
const DIM = 3;
const made = Float32Array.from({ length: ROWS * DIM }, (_, index) => index);

/** The features of each block of two rows that was visited, and what the pass threw. */
async function visited(
  values: Float32Array,
  visit: (count: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<{ readonly blocks: number[][]; readonly error: unknown }> {
  const blocks: number[][] = [];
  const source = memoryFeatures("made", { features: values, dim: DIM });
  const pass = eachBlock(engine, source, { batch: 2, signal }, async (block) => {
    const twice = engine.ops.add(block.features, block.features); // the block's to free
    blocks.push([...(await block.features.floats())]);
    await twice.floats();
    visit(blocks.length);
  });
  const error: unknown = await pass.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { blocks, error };
}

describe("eachBlock", () => {
  test("visits all rows in order", async () => {
    const { blocks, error } = await visited(made);
    expect(error).toBeNull();
    expect(blocks.map(({ length }) => length / DIM)).toEqual([2, 2, 2, 1]);
    expect(blocks.flat()).toEqual([...made]);
  });

  test("tells of a value that is not finite when the blocks before it are done", async () => {
    const { blocks, error } = await visited(made.with(3 * DIM, Number.NaN));
    expect(blocks).toHaveLength(1);
    expect(String(error)).toMatch(/1 of 21 feature values are NaN or infinite, the first in row 3/);
  });

  test("leaves no buffer behind, however it ends", async () => {
    await visited(made);
    const { live } = engine.pool;
    const failed = await visited(made, (count) => {
      if (count === 2) throw new Error("enough");
    });
    expect(String(failed.error)).toMatch(/enough/);
    expect(failed.blocks).toHaveLength(2);
    const controller = new AbortController();
    const stopped = await visited(
      made,
      () => {
        controller.abort();
      },
      controller.signal,
    );
    expect(String(stopped.error)).toMatch(/stopped while reading made/);
    expect(stopped.blocks).toHaveLength(1);
    await visited(made.with(3 * DIM, Infinity));
    expect(engine.pool.live).toBe(live);
  });
});
