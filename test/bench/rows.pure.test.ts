/** The rows of the bench and how --only chooses among them. */
import { describe, expect, test } from "vitest";
import { benchRows } from "../../bench/rows/index.ts";
import { benchRowsOf } from "../../bench/rows/ops.ts";
import { chooseRows, keyOf } from "../../bench/rows/row.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { Caps } from "../../src/kernels/op.ts";

const caps: Caps = {
  adapterClass: "gpu",
  maxWorkgroups: 65_535,
  maxBindingBytes: 2 ** 27,
  maxInvocations: 256,
  maxWorkgroupBytes: 16_384,
  maxStorageBuffers: 8,
  subgroupMin: 4,
  subgroupMax: 64,
  subgroupMatrices: [],
  features: new Set(["subgroups"]),
};
const rows = benchRows(caps);

test("every op has a row, and no two rows have one key", () => {
  const names = new Set(rows.map(({ name }) => name));
  expect(opEntries().filter(([name]) => !names.has(name))).toEqual([]);
  expect(rows.length).toBe(new Set(rows.map(keyOf)).size);
});

test("an op without rows of its own is timed at a shape that its rule accepts", () => {
  for (const [name, op] of opEntries())
    for (const { inputs, attrs } of benchRowsOf(name)) {
      const metas = inputs.map((spec) => spec && { shape: spec.shape, dtype: spec.dtype ?? "f32" });
      expect(() => op.infer(metas as never, { ...op.defaults, ...attrs }), name).not.toThrow();
    }
});

describe("--only", () => {
  const named = (patterns: string): string[] =>
    chooseRows(
      ["max", "maximum", "matmul", "small-vit-step"].flatMap((name) => [
        { name, shape: "[2, 3]", variant: "fast" },
        { name, shape: "[2, 3]", variant: "naive" },
      ]),
      patterns,
    ).map(keyOf);

  test("takes a name, else a beginning", () => {
    expect(named("max")).toEqual(["max [2, 3] fast", "max [2, 3] naive"]);
    expect(named("maxi")).toEqual(["maximum [2, 3] fast", "maximum [2, 3] naive"]);
    expect(named("matmul [2, 3] n")).toEqual(["matmul [2, 3] naive"]);
  });

  test("takes globs over the name or the whole line", () => {
    expect(named("ma?")).toHaveLength(2);
    expect(() => named("ma.*")).toThrow(/matches no row/); // a dot is a dot
    expect(named("*-step*naive")).toEqual(["small-vit-step [2, 3] naive"]);
  });

  test("takes a list in the rows' order, and refuses what matches nothing", () => {
    expect(named("small,max")).toHaveLength(4);
    expect(named("small,max")[0]).toBe("max [2, 3] fast");
    expect(() => named("max,softmax")).toThrow(/--only softmax matches no row/);
  });
});
