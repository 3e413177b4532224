/** Programs: the same numbers as eager mode, state in place, one capture per shape, no reads inside. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, program, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine, InputTensors } from "../../src/engine/index.ts";
import { hasTimestamps } from "../../src/engine/profile.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const values = (...numbers: number[]): Float32Array => new Float32Array(numbers);

describe("program", () => {
  it("replays on new inputs and captures again for new shapes", async () => {
    const { ops } = engine;
    let bodies = 0;
    const square = program(engine, ({ x }: InputTensors<"x">) => {
      bodies++;
      return ops.mul(x, x);
    });
    expect(await (await square.run({ x: values(1, 2) })).data()).toEqual(values(1, 4));
    expect(await (await square.run({ x: values(3, 4) })).data()).toEqual(values(9, 16));
    expect(bodies).toBe(1);
    expect(await (await square.run({ x: values(1, 2, 3) })).data()).toEqual(values(1, 4, 9));
    expect(bodies).toBe(2);
    square.dispose();
  });

  it("updates state in place, as three eager steps would", async () => {
    const { ops } = engine;
    const update = (w: ReturnType<Engine["zeros"]>, x: ReturnType<Engine["zeros"]>) => {
      const { value, grads } = valueAndGrad(engine, [w], () =>
        ops.mean(ops.mul(ops.sub(ops.mul(w, x), x), ops.sub(ops.mul(w, x), x))),
      );
      const [grad] = grads;
      if (grad) engine.assign(w, ops.sub(w, ops.affine(grad, { scale: 0.1 })));
      return value;
    };
    const eager = engine.tensor(values(2, -1, 0.5));
    const captured = engine.tensor(values(2, -1, 0.5));
    const step = program(engine, ({ x }: InputTensors<"x">) => update(captured, x));
    for (let k = 0; k < 3; k++) {
      const x = values(k + 1, 1, -2);
      const loss = engine.scope(() => update(eager, engine.tensor(x)));
      expect(await (await step.run({ x })).item()).toBe(await loss.item());
    }
    expect(await captured.data()).toEqual(await eager.data());
  });

  it("compiles and warms up in prepare, without running", async () => {
    const { device } = engine.gpu;
    const state = engine.tensor(values(1, 2));
    const step = program(engine, ({ x }: InputTensors<"x">) => {
      engine.ops.addInPlace(state, x);
      return engine.ops.mul(state, x);
    });
    const createCommandEncoder = device.createCommandEncoder.bind(device);
    const dispatched: string[] = [];
    device.createCommandEncoder = (descriptor) => {
      dispatched.push(descriptor?.label ?? "");
      return createCommandEncoder(descriptor);
    };
    try {
      await step.prepare({ x: values(5, 5) });
      expect(dispatched).toContain("warm-up");
      dispatched.length = 0;
      const { created } = engine.pipelines;
      expect(await (await step.run({ x: values(10, 20) })).data()).toEqual(values(110, 440));
      expect(dispatched).not.toContain("warm-up");
      expect(engine.pipelines.created).toBe(created);
    } finally {
      device.createCommandEncoder = createCommandEncoder;
    }
    expect(await state.data()).toEqual(values(11, 22));
    step.dispose();
  });

  it("profiles a run that moves state like any other, copies included", async (context) => {
    if (!hasTimestamps(engine)) context.skip("no timestamp-query");
    const state = engine.tensor(values(1, 2));
    const kept = engine.tensor(values(0, 0));
    const step = program(engine, ({ x }: InputTensors<"x">) => {
      engine.assign(kept, state); // from memory to memory: a copy
      engine.ops.addInPlace(state, x);
    });
    await step.run({ x: values(1, 1) });
    expect(step.stats?.copies).toBe(1);
    expect(await step.profile()).toHaveLength(1);
    expect(await state.data()).toEqual(values(3, 4));
    expect(await kept.data()).toEqual(values(2, 3));
    step.dispose();
  });

  it("profiles copies alone, and more passes than a set of stamps holds", async (context) => {
    if (!hasTimestamps(engine)) context.skip("no timestamp-query");
    const kept = engine.zeros([1]);
    const source = engine.tensor(values(3));
    const copying = program(engine, () => {
      engine.assign(kept, source);
    });
    await copying.run({ x: values(1) });
    expect(await copying.profile()).toEqual([]);
    expect(await kept.data()).toEqual(values(3));
    const passes = 2_100; // two stamps each, and a set holds 4,096
    const counting = program(
      engine,
      ({ x }: InputTensors<"x">) => {
        let sum = x;
        for (let k = 0; k < passes; k++) sum = engine.ops.add(sum, x);
        return sum;
      },
      { fuse: false },
    );
    const sum = await counting.run({ x: values(1) });
    expect(await counting.profile()).toHaveLength(passes);
    expect(await sum.data()).toEqual(values(passes + 1));
    for (const step of [copying, counting]) step.dispose();
  });

  it("drops passes that nothing needs", async () => {
    const { ops } = engine;
    const lean = program(engine, ({ x }: InputTensors<"x">) => {
      ops.softmax(ops.add(x, x));
      return ops.mul(x, x);
    });
    await lean.run({ x: values(1, 2) });
    expect(lean.stats?.passes).toBe(1);
  });

  it("refuses reads and async bodies while it records", async () => {
    const reading = program(engine, ({ x }: InputTensors<"x">) => {
      expect(() => {
        engine.write(x, values(1));
      }).toThrow(/cannot write host values/);
      return x.data();
    });
    await expect(reading.run({ x: values(1) })).rejects.toThrow(
      /cannot read a tensor|must not be async/,
    );
  });

  it("refuses to change its inputs in place", async () => {
    const wrong = program(engine, ({ x }: InputTensors<"x">) => {
      engine.ops.fill(x, { value: 1 });
    });
    await expect(wrong.run({ x: values(1, 2) })).rejects.toThrow(/may not change its inputs/);
  });

  it("returns its memory when disposed", async () => {
    const before = engine.pool.live;
    const { ops } = engine;
    const doubled = program(engine, ({ x }: InputTensors<"x">) => ops.add(x, x));
    await doubled.run({ x: new Float32Array(1000) });
    expect(engine.pool.live).toBeGreaterThan(before);
    doubled.dispose();
    await Promise.resolve();
    expect(engine.pool.live).toBe(before);
  });
});
