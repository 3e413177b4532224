/** Fused programs against unfused ones: LayerNorm's gradient, elementwise chains, a training step. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, ParamSet, program, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine, InputTensors } from "../../src/engine/index.ts";
import { layernormBackward } from "../../src/kernels/layernormBackward.ts";
import { ViT } from "../../src/vit/index.ts";
import type { ViTConfig } from "../../src/vit/index.ts";
import { smallViTInputs } from "../../bench/small-vit.ts";
import { SMALL_VIT, workloadParams } from "../../bench/workloads.ts";
import { checkFused, oracle } from "./fused.ts";

describe.each(Object.keys(layernormBackward.variants))("layernormBackward %s", (variant) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ picks: { layernormBackward: variant } });
  });
  afterAll(() => {
    engine.destroy();
  });
  for (const [rows, cols] of [
    [37, 64],
    [5, 7],
  ] as const)
    it(`[${rows}, ${cols}] + the residual's gradient`, async () => {
      const row = [cols];
      const shapes = { g: [rows, cols], x: [rows, cols], weight: row, mean: [rows], rstd: [rows] };
      await checkFused(engine, {
        shapes,
        body: (ops, { g, x, weight, mean, rstd }) => {
          const [dx, dweight, dbias] = ops.layernormBackward(g, x, weight, mean, rstd);
          return [ops.add(g, dx), dweight, dbias];
        },
        passes: [2, 3],
      });
    });
});

describe("programs of a training step", () => {
  it("give one loss, fused or not, and take less memory when values share it or are made again", async () => {
    const engine = await createEngine();
    const spec: ViTConfig = { ...SMALL_VIT, dropout: 0.1, dropPath: 0.1 };
    const { patches, labels, validRows } = smallViTInputs();
    const key = new Uint32Array([3, 0, 1, 0]);
    const losses: number[][] = [];
    const bytes: number[] = [];
    for (const options of [{ fuse: false }, {}, { recompute: true }, { reuse: false }]) {
      const params = new ParamSet(engine, workloadParams(SMALL_VIT));
      const state = params.zeros();
      const step = program(
        engine,
        (x: InputTensors<"patches" | "labels" | "validRows" | "key">) => {
          const { value, grads } = valueAndGrad(engine, params.tensors, () => {
            const { logits } = new ViT(engine.ops, spec, params, { key: x.key }).encode(x.patches);
            return engine.ops.crossEntropy(logits, x.labels, x.validRows);
          });
          params.pack(grads, state);
          params.arenas.forEach((arena, index) => {
            const grad = state[index];
            if (grad) engine.ops.addInPlace(arena, grad, { scale: -0.01 });
          });
          return value;
        },
        options,
      );
      const list: number[] = [];
      for (let k = 0; k < 3; k++)
        list.push(await (await step.run({ patches, labels, validRows, key })).item());
      losses.push(list);
      bytes.push(step.stats?.slotBytes ?? 0);
      step.dispose();
    }
    const [plain = [], ...others] = losses;
    for (const other of others)
      other.forEach((loss, k) => {
        expect(Math.abs(loss - (plain[k] ?? NaN))).toBeLessThanOrEqual(1e-5);
      });
    expect(bytes[2]).toBeLessThan(0.8 * (bytes[1] ?? 0));
    expect(bytes[1]).toBeLessThan(0.8 * (bytes[3] ?? 0));
    engine.destroy();
  });
});

describe("elementwise chains", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine();
  });
  afterAll(() => {
    engine.destroy();
  });
  for (const cols of [8, 7])
    it(`of 5 passes, in rows of ${cols}`, async () => {
      await checkFused(engine, {
        shapes: { x: [6, cols], y: [6, cols], row: [cols], one: [1] },
        body: (ops, { x, y, row, one }) => {
          const scaled = ops.mul(ops.add(x, row), one);
          const curved = ops.sub(ops.tanh(scaled), y);
          return [scaled, ops.mul(curved, curved)];
        },
        reference: ({ x, y, row, one }) => {
          const scaled = oracle("mul", [oracle("add", [x, row]), one]);
          const curved = oracle("sub", [oracle("tanh", [scaled]), y]);
          return [scaled, oracle("mul", [curved, curved])];
        },
        passes: [1, 5],
      });
    });

  for (const cols of [8, 7])
    it(`draw the same dropout masks, in rows of ${cols}`, async () => {
      const key = engine.tensor(new Uint32Array([5, 0, 9, 0]));
      await checkFused(engine, {
        shapes: { a: [17, 5], b: [5, cols], skip: [17, cols] },
        body: (ops, { a, b, skip }) => {
          const kept = ops.dropout(ops.matmul(a, b), key, { rate: 0.4, stream: 3 });
          const again = ops.dropout(ops.neg(skip), key, { rate: 0.4, stream: 3 });
          return [ops.add(skip, kept), again];
        },
        passes: [2, 5],
      });
    });

  it("compute common sub-expressions once", async () => {
    await checkFused(engine, {
      shapes: { x: [5, 9], w: [9, 8] },
      body: (ops, { x, w }) => [ops.mul(ops.tanh(ops.matmul(x, w)), ops.exp(ops.matmul(x, w)))],
      passes: [2, 5],
    });
  });

  it("keep state and what is returned apart from what is never stored", async () => {
    const { ops } = engine;
    const state = engine.tensor(new Float32Array([1, 2, 3, 4]));
    const step = program(engine, ({ x }: InputTensors<"x">) => {
      const moved = ops.add(state, ops.affine(x, { scale: 2 }));
      engine.assign(state, moved);
      return ops.neg(state);
    });
    const x = new Float32Array([1, 1, 1, 1]);
    for (let turn = 1; turn <= 2; turn++) {
      const result = await (await step.run({ x })).data();
      expect(await state.data()).toEqual(Float32Array.from([1, 2, 3, 4], (v) => v + 2 * turn));
      expect(result).toEqual(Float32Array.from([1, 2, 3, 4], (v) => -(v + 2 * turn)));
    }
    step.dispose();
  });
});
