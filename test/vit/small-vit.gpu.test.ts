/** The small-ViT step: PyTorch's three losses, every gradient, and what a replay asks of the device. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backward, smallViTInputs, smallViTStep } from "../../bench/small-vit.ts";
import { SMALL_VIT_LOSSES } from "../../bench/workloads.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { loadFloats, parseSafetensors } from "../../src/io/index.ts";
import { at } from "../../src/util/shape.ts";
import { adamStep, callsDuring, REPLAYED } from "./replay.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const golden = (file: string): URL => new URL(`../golden/${file}`, import.meta.url);

const norm = (values: ArrayLike<number>): number =>
  Math.hypot(...Array.from({ length: values.length }, (_, k) => at(values, k)));

for (const mode of ["eager", "program"] as const)
  describe(`small ViT, ${mode}`, () => {
    it("prints PyTorch's losses of three steps", async () => {
      const { losses } = JSON.parse(readFileSync(golden("small-vit.json"), "utf8")) as {
        losses: number[];
      };
      const { run } = smallViTStep(engine, mode);
      for (const [k, expected] of SMALL_VIT_LOSSES.entries()) {
        const loss = await (await run()).item();
        expect(Math.abs(loss - expected)).toBeLessThanOrEqual(2e-5);
        expect(Math.abs(loss - at(losses, k))).toBeLessThanOrEqual(1e-5);
      }
    });
  });

describe("small ViT gradients", () => {
  it("agree with PyTorch's float64 to 1e-4 of each tensor's norm", async () => {
    const store = await parseSafetensors(readFileSync(golden("small-vit-grads.safetensors")));
    const { state } = smallViTStep(engine, "program");
    const host = smallViTInputs();
    engine.scope(() => {
      backward(engine, state, {
        patches: engine.tensor(host.patches.values, host.patches.shape),
        labels: engine.tensor(host.labels),
        validRows: engine.tensor(host.validRows),
        learningRate: engine.tensor(host.learningRate),
        step: engine.tensor(host.step),
      });
    });
    const grads = await state.params.read(state.grads);
    expect([...grads.keys()].sort()).toEqual([...store.names].sort());
    const largest = Math.max(...[...grads.values()].map(norm));
    for (const [name, got] of grads) {
      const stored = await store.find(name);
      if (!stored) throw new Error(`${name} is not in the golden file`);
      const expected = await loadFloats(stored);
      if (name.endsWith("qkv.bias")) {
        // Softmax ignores what is added to all keys: the key part's true gradient is zero.
        const third = expected.length / 3;
        const key = got.slice(third, 2 * third);
        expect(norm(key), `${name} (key part)`).toBeLessThanOrEqual(1e-6 * largest);
        got.fill(0, third, 2 * third);
        expected.fill(0, third, 2 * third);
      }
      const error = norm(got.map((value, k) => value - at(expected, k)));
      expect(error / norm(expected), name).toBeLessThanOrEqual(1e-4);
    }
  });
});

describe("a replayed step", () => {
  it("is two writes and one submit, and reads nothing until somebody asks", async () => {
    const { run } = smallViTStep(engine, "program");
    await (await run()).item();
    expect(await callsDuring(engine, run)).toEqual(REPLAYED);
    const loss = await run();
    const reading = await callsDuring(engine, () => loss.item());
    expect(reading).toMatchObject({ copyBufferToBuffer: 1, submit: 1, mapAsync: 1 });
  });

  it("of train, with AdamW and clipping, copies the tally besides", async () => {
    const { run, tally } = adamStep(engine, "f32");
    await run();
    const [first = Number.NaN] = await tally.floats();
    expect(await callsDuring(engine, run)).toEqual(REPLAYED);
    expect((await tally.floats())[0]).toBeGreaterThan(first); // it did run
  });
});
