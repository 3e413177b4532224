/** Engine behaviour on a device: scopes, leaks, views, assignment, errors. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

describe("scopes", () => {
  it("free what is not returned, on success and on error", async () => {
    const before = engine.pool.live;
    const kept = engine.scope(() => {
      const x = engine.tensor(new Float32Array([1, 2, 3]));
      return { y: engine.ops.add(x, x) };
    });
    expect(await kept.y.data()).toEqual(new Float32Array([2, 4, 6]));
    expect(engine.pool.live).toBe(before + 1);
    kept.y.dispose();
    expect(engine.pool.live).toBe(before);
    expect(() =>
      engine.scope(() => {
        engine.tensor(new Float32Array(4));
        throw new Error("on purpose");
      }),
    ).toThrow("on purpose");
    expect(engine.pool.live).toBe(before);
  });

  it("work across awaits", async () => {
    const before = engine.pool.live;
    const value = await engine.scope(async () => {
      const x = engine.tensor(new Float32Array([3]));
      const y = engine.ops.mul(x, x);
      return y.item();
    });
    expect(value).toBe(9);
    expect(engine.pool.live).toBe(before);
  });

  it("keep a gradient's intermediates from leaking", () => {
    const w = engine.tensor(new Float32Array([1, 2]));
    const before = engine.pool.live;
    const { value, grads } = valueAndGrad(engine, [w], () => engine.ops.sum(engine.ops.mul(w, w)));
    expect(engine.pool.live).toBe(before + 2);
    for (const tensor of [value, ...grads, w]) tensor.dispose();
  });
});

describe("bind groups", () => {
  it("are made once for the same buffers, whatever the params", async () => {
    const x = engine.tensor(new Float32Array([1, 2]));
    const made: unknown[] = [];
    const { device } = engine.gpu;
    const createBindGroup = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => {
      made.push(descriptor);
      return createBindGroup(descriptor);
    };
    const last = engine.scope(() => {
      for (let shift = 0; shift < 9; shift++) engine.ops.affine(x, { shift }).dispose();
      return engine.ops.affine(x, { shift: 9 });
    });
    device.createBindGroup = createBindGroup;
    expect(await last.data()).toEqual(new Float32Array([10, 11]));
    expect(made.length).toBeLessThanOrEqual(1);
    for (const tensor of [x, last]) tensor.dispose();
  });
});

describe("reading", () => {
  it("says what to do about a freed tensor", async () => {
    const freed = engine.scope(() => ({ x: engine.tensor(new Float32Array(1)) })).x;
    freed.dispose();
    await expect(freed.data()).rejects.toThrow(/was freed; return it from its engine.scope/);
  });

  it("gives each dtype back as it was", async () => {
    const ints = engine.tensor(new Int32Array([-5, 7]));
    expect(await ints.data()).toEqual(new Int32Array([-5, 7]));
    const words = engine.tensor(new Uint32Array([4_000_000_000]));
    expect(await words.item()).toBe(4_000_000_000);
  });
});

describe("memory", () => {
  it("refuses what exceeds the budget or the adapter, naming sizes and the way out", async () => {
    const small = await createEngine({ memoryBudget: 1024 * 1024 });
    expect(() => small.zeros([1024, 1024])).toThrow(/needs 4 MiB .* use a smaller batch/);
    small.destroy();
  });

  it("is reused by equal sizes", () => {
    const first = engine.zeros([1000]);
    const { buffer } = first.storage;
    first.dispose();
    expect(engine.zeros([1000]).storage.buffer).toBe(buffer);
  });
});

describe("assign", () => {
  it("changes state in place and checks sizes", async () => {
    const state = engine.zeros([2]);
    engine.assign(state, engine.tensor(new Float32Array([4, 5])));
    expect(await state.data()).toEqual(new Float32Array([4, 5]));
    expect(() => {
      engine.assign(state, engine.zeros([3]));
    }).toThrow(/sizes differ; got target \[2\], value \[3\]/);
  });
});

describe("a lost device", () => {
  it("makes later reads fail with the way out", async () => {
    const lost = await createEngine();
    const x = lost.zeros([1]);
    lost.destroy();
    await expect(x.data()).rejects.toThrow(/device was lost .*--resume/);
  });
});
