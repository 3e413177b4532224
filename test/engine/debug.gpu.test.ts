/** DEBUG=program through program.run: the second run prints, on any adapter, and runs all the same. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { createEngine, program } from "../../src/engine/index.ts";
import type { InputTensors } from "../../src/engine/index.ts";
import { hasTimestamps } from "../../src/engine/profile.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** The same device, taken for one without timestamps. */
function withoutTimestamps(): Engine {
  const { gpu } = engine;
  const features = new Set(gpu.caps.features);
  features.delete("timestamp-query");
  return new Engine({ ...gpu, caps: { ...gpu.caps, features } }, {});
}

/** What three runs print, each of which adds x + tanh(x · w) to a state that starts at 0. */
async function printed(on: Engine): Promise<string[][]> {
  vi.stubEnv("DEBUG", "other,program");
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const state = on.zeros([2, 2]);
  const step = program(on, ({ x, w }: InputTensors<"x" | "w">) => {
    on.assign(state, on.ops.add(state, on.ops.add(x, on.ops.tanh(on.ops.matmul(x, w)))));
  });
  const shape = [2, 2];
  const x = { values: new Float32Array([1, 2, 3, 4]), shape };
  const w = { values: new Float32Array(4), shape };
  const lines: string[][] = [];
  for (let run = 1; run <= 3; run++) {
    log.mockClear();
    await step.run({ x, w });
    lines.push(log.mock.calls.flatMap(([text]) => String(text).split("\n")));
    expect(await state.data()).toEqual(x.values.map((value) => run * value));
  }
  step.dispose();
  return lines;
}

const UNTIMED = /^program: 1 passes \(3 more merged into them.*has no timestamp-query; values of/;

it("prints the passes of the second run alone", async () => {
  const [first, second = [], third] = await printed(engine);
  expect([first, third]).toEqual([[], []]);
  expect(second[0]).toMatch(hasTimestamps(engine) ? /^program: 1 passes .* ms; values/ : UNTIMED);
  expect(second).toHaveLength(3);
  expect(second[2]).toMatch(/ matmul y .* \+ tanh \+ add \+ add$/);
});

it("prints them without times where the adapter has no timestamps", async () => {
  const [first, second = [], third] = await printed(withoutTimestamps());
  expect([first, third]).toEqual([[], []]);
  expect(second[0]).toMatch(UNTIMED);
  expect(second[1]?.trim().split(/ +/)).toEqual(["passes", "moved", "GFLOP", "label"]);
  expect(second).toHaveLength(3);
  expect(second[2]).toMatch(/^ +1 +0.0 MB +0.000 {2}matmul y .* \+ tanh \+ add \+ add$/);
});

it("still refuses to profile there", async () => {
  const on = withoutTimestamps();
  const doubled = program(on, ({ x }: InputTensors<"x">) => on.ops.add(x, x));
  await doubled.run({ x: new Float32Array(2) });
  await expect(doubled.profile()).rejects.toThrow(/no timestamp-query/);
  doubled.dispose();
});
