/** Kept scores: the same bits again, and never those of other weights, data or adapters. */
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runScoreCache } from "../../src/cli/score-cache.ts";
import type { ScoreState } from "../../src/neco/index.ts";

const made: ScoreState = {
  arrays: { "0/means": { shape: [2, 1], values: Float32Array.of(0.1, -3e30) } },
  params: { noise: 0.0014, percentiles: "75-85" },
  warnings: ["careful"],
};
const vector = Float64Array.of(-1 / 3, 1e-300, 12345.678901234567);

const fresh = (): string => mkdtempSync(join(tmpdir(), "neco-kept-"));

function cacheIn(folder: string, { hash = "weights", description = "adapter" } = {}) {
  const cache = runScoreCache({ adapter: { description } }, { folder, model: { hash, step: 7 } });
  let calls = 0;
  return {
    state: (key: string) =>
      cache.state({ name: "gram-fit", key }, () => {
        calls++;
        return Promise.resolve(made);
      }),
    values: (key: string) =>
      cache.values({ name: "gram-ID test", key }, () => {
        calls++;
        return Promise.resolve(vector);
      }),
    calls: () => calls,
  };
}

describe("kept scores", () => {
  test("come back to the bit", async () => {
    const folder = fresh();
    const first = cacheIn(folder);
    expect(await first.state("a")).toEqual(made);
    expect(await first.values("b")).toEqual(vector);
    const second = cacheIn(folder);
    expect(await second.state("a")).toEqual(made);
    expect(await second.values("b")).toEqual(vector);
    expect([first.calls(), second.calls()]).toEqual([2, 0]);
  });
  test.each([
    ["another key", {}, "else"],
    ["other weights", { hash: "other" }, "a"],
    ["another adapter", { description: "other" }, "a"],
  ])("are made again for %s, and replaced", async (_, changes, key) => {
    const folder = fresh();
    await cacheIn(folder).state("a");
    const other = cacheIn(folder, changes);
    await other.state(key);
    await other.state(key);
    expect(other.calls()).toBe(1);
    expect(readdirSync(join(folder, "kept-scores"))).toEqual(["gram-fit-step7.safetensors"]);
  });
  test("are made again where the file is damaged", async () => {
    const folder = fresh();
    await cacheIn(folder).values("b");
    writeFileSync(join(folder, "kept-scores", "gram-ID-test-step7.safetensors"), "half a file");
    const again = cacheIn(folder);
    expect(await again.values("b")).toEqual(vector);
    expect(again.calls()).toBe(1);
  });
});
