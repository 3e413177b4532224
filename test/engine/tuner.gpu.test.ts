/** The tuner on a real adapter: what it records, times and picks. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { callsOf, fastest, picksOf, tune } from "../../src/engine/tuner.ts";
import type { TuneResult } from "../../src/engine/tuner.ts";
import { table } from "../../src/kernels/index.ts";
import { summarise } from "../../src/util/timing.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

describe("callsOf", () => {
  it("records forward and backward, each kind of call once", async () => {
    const x = engine.tensor(new Float32Array(64 * 64).fill(1), [64, 64]);
    const calls = callsOf(engine, () => {
      valueAndGrad(engine, [x], () =>
        engine.ops.sum(engine.ops.matmul(x, engine.ops.matmul(x, x))),
      );
    });
    const products = calls.filter(({ op }) => op.name === "matmul");
    expect(products.length).toBe(3); // forward, and one per side of the backward
    expect(new Set(calls.map(({ op, attrs }) => JSON.stringify([op.name, attrs]))).size).toBe(
      calls.length,
    );
    expect(await x.data()).toEqual(new Float32Array(64 * 64).fill(1)); // still alive
  });
});

describe("tune", () => {
  it("times every usable variant; its picks are what a new engine runs", async () => {
    const inputs = [64, 64].map((side) => ({ shape: [side, 64], dtype: "f32" as const }));
    const call = { op: table.matmul, inputs: [...inputs, null], attrs: table.matmul.defaults };
    const seen: string[] = [];
    const [result] = await tune(engine, [call as never], {
      rounds: 2,
      onProgress: (_done, key) => seen.push(key),
    });
    expect(seen).toEqual(["matmul 64x64 64x64 –"]);
    expect(Object.keys(result?.timings ?? {})).toContain("naive");
    for (const { median } of Object.values(result?.timings ?? {}))
      expect(median).toBeGreaterThan(0);

    const tuned = { ...result, pick: "naive", standard: "other" } as TuneResult;
    const other = await createEngine({ picks: () => Promise.resolve(picksOf([tuned])) });
    expect(other.picks).toEqual({ "matmul 64x64 64x64 –": "naive" });
    const x = other.tensor(new Float32Array(64 * 64).fill(1), [64, 64]);
    expect((await other.ops.matmul(x, x).data())[0]).toBe(64);
    other.destroy();
  });

  it("stops when asked", async () => {
    const inputs = [{ shape: [4, 4], dtype: "f32" as const }];
    const call = { op: table.softmax, inputs, attrs: table.softmax.defaults };
    await expect(tune(engine, [call as never], { signal: AbortSignal.abort() })).rejects.toThrow(
      /abort/i,
    );
  });
});

describe("fastest", () => {
  const timing = (...times: number[]) => summarise(times);
  it("keeps the static pick within the spread", () => {
    expect(fastest({ a: timing(10, 11, 9), b: timing(9.5, 10.5, 8.5) }, "a")).toBe("a");
    expect(fastest({ a: timing(10, 10.1, 9.9), b: timing(5, 5.1, 4.9) }, "a")).toBe("b");
    expect(fastest({ a: timing(10, 10, 10), b: timing(9.9, 9.9, 9.9) }, "a")).toBe("a");
  });
});
