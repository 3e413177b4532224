/** The small-ViT step in mixed precision: PyTorch's losses and gradients, replays, overflows. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { smallViTStep } from "../../bench/small-vit.ts";
import type { StepMode } from "../../bench/vit-step.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
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
beforeEach((context) => {
  if (!engine.caps.features.has("shader-f16")) context.skip("this adapter has no shader-f16");
});

const golden = (file: string): URL => new URL(`../golden/${file}`, import.meta.url);

const norm = (values: ArrayLike<number>): number =>
  Math.hypot(...Array.from({ length: values.length }, (_, k) => at(values, k)));

/** A step whose loss scale can be looked at and set. */
function halfStep(mode: StepMode) {
  const step = smallViTStep(engine, mode, "f16");
  const { lossScale } = step.state;
  if (!lossScale) throw new Error("a step in f16 has a loss scale");
  return { ...step, lossScale };
}

describe("the small ViT in f16", () => {
  it.each(["eager", "program"] as const)(
    "gives PyTorch's float64 losses of three steps, %s",
    async (mode) => {
      const { losses } = JSON.parse(readFileSync(golden("small-vit.json"), "utf8")) as {
        losses: number[];
      };
      const { run } = halfStep(mode);
      for (const expected of losses) {
        const loss = await (await run()).item();
        // Operands are off by at most 2⁻¹² = 2.4e-4 of themselves, at random: 5e-4 leaves room.
        expect(Math.abs(loss - expected)).toBeLessThanOrEqual(5e-4);
      }
    },
  );

  it("gives its gradients to 1 % of each tensor's norm, once unscaled", async () => {
    const store = await parseSafetensors(readFileSync(golden("small-vit-grads.safetensors")));
    const { run, state, lossScale } = halfStep("program");
    const [, , scale = Number.NaN] = await lossScale.floats();
    await run();
    const grads = await state.params.read(state.grads);
    for (const [name, scaled] of grads) {
      if (name.endsWith("qkv.bias")) continue; // its key part is zero but for rounding
      const stored = await store.find(name);
      if (!stored) throw new Error(`${name} is not in the golden file`);
      const expected = await loadFloats(stored);
      const error = norm(scaled.map((value, k) => value / scale - at(expected, k)));
      expect(error / norm(expected), name).toBeLessThanOrEqual(1e-2);
    }
  });

  it("keeps half of the bytes for the backward pass", async () => {
    const [half, whole] = [smallViTStep(engine, "program", "f16"), smallViTStep(engine, "program")];
    await Promise.all([half.run(), whole.run()]);
    const bytes = [half, whole].map((step) => step.stats()?.liveBytes ?? Number.NaN);
    expect(at(bytes, 0)).toBeLessThan(0.65 * at(bytes, 1));
  });
});

describe("a replayed step in f16", () => {
  it("asks of the device what one in f32 does: the loss scale stays on the GPU", async () => {
    const { run } = halfStep("program");
    await run();
    expect(await callsDuring(engine, run)).toEqual(REPLAYED);
  });

  it("of train, with AdamW and clipping, copies the tally besides", async () => {
    const { run, tally } = adamStep(engine, "f16");
    await run();
    const [first = Number.NaN] = await tally.floats();
    expect(await callsDuring(engine, run)).toEqual(REPLAYED);
    expect((await tally.floats())[0]).toBeGreaterThan(first); // it did run
  });
});

describe("an overflow", () => {
  const read = (arenas: readonly Tensor[]): Promise<Float32Array[]> =>
    Promise.all(arenas.map((arena) => arena.floats()));

  it("skips updates and halves the scale until gradients fit, without the host", async () => {
    const { run, state, lossScale } = halfStep("program");
    engine.write(lossScale, Float32Array.of(0, 0, 2 ** 24, 77));
    const before = await read(state.params.arenas);
    // Cotangents of the logits are up to 2²⁴ / 64 at first: beyond f16.
    const first = await (await run()).item();
    expect(await lossScale.floats()).toEqual(Float32Array.of(0, 1, 2 ** 23, 0));
    expect((await read(state.grads)).some((arena) => !arena.every(Number.isFinite))).toBe(true);
    expect(await read(state.params.arenas)).toEqual(before);
    expect(await read(state.moments.flat())).toEqual(
      before.map(({ length }) => new Float32Array(length)),
    );
    let loss = first;
    for (let step = 1; step < 8; step++) loss = await (await run()).item();
    const [factor = 0, skipped = 0, scale = 0, good = 0] = await lossScale.floats();
    expect(factor).toBe(1 / scale);
    expect(scale).toBe(2 ** (24 - skipped));
    expect(good).toBe(8 - skipped);
    expect(good).toBeGreaterThan(1);
    expect(loss).toBeLessThan(first);
    expect((await read(state.params.arenas)).flatMap((arena) => [...arena])).not.toContain(
      Number.NaN,
    );
  });
});
