/** `neco doctor`'s self-check: passes here, and notices an adapter that computes wrongly. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { FMA_KERNELS, measureFma } from "../../bench/probes.ts";
import { adviceFor } from "../../src/cli/doctor.ts";
import { selfCheck } from "../../src/cli/self-check.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

test("this adapter's numerics are right", async () => {
  const results = await selfCheck(engine);
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect(results.length).toBe(engine.caps.features.has("shader-f16") ? 6 : 5);
});

test("a wrong op and a NaN are noticed", async () => {
  const { ops } = engine;
  const softmax: typeof ops.softmax = (x) => ops.gelu(x);
  const gelu: typeof ops.gelu = (x) => ops.mul(x, engine.tensor(Float32Array.of(Number.NaN)));
  const broken = new Proxy(engine, {
    get: (target, name) => {
      if (name === "ops") return { ...ops, softmax, gelu };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const results = await selfCheck(broken);
  expect(results.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["softmax", "gelu"]);
});

test("an NVIDIA adapter without f16 is told of the opt-in, others are not", () => {
  const { adapter, caps } = engine;
  const advised = (vendor: string, features: readonly string[]): boolean =>
    adviceFor({
      adapter: { ...adapter, vendor },
      caps: { ...caps, features: new Set(features) },
    }).some((line) => line.startsWith("NECO_UNSAFE_GPU=1 "));
  expect(advised("nvidia", [])).toBe(true);
  expect(advised("nvidia", ["shader-f16"])).toBe(false);
  expect(advised("amd", [])).toBe(false);
});

test("the FMA probe measures a rate", async () => {
  const { rate, variant } = await measureFma(engine);
  expect(rate).toBeGreaterThan(0.05); // GFLOP/s: the slowest software adapter under load
  expect(Object.keys(FMA_KERNELS)).toContain(variant);
});
