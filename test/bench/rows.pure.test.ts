/** The rows of the bench and how --only chooses among them. */
import { describe, expect, test } from "vitest";
import { benchRows } from "../../bench/rows/index.ts";
import { benchRowsOf } from "../../bench/rows/ops.ts";
import { chooseRows, keyOf } from "../../bench/rows/row.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { OpName } from "../../src/kernels/index.ts";
import type { Caps } from "../../src/kernels/op.ts";
import { show, sizeOf } from "../../src/util/shape.ts";
import { LAVAPIPE } from "../kernels/adapters.ts";

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

describe("rows beyond those of the cases", () => {
  const keysOf = (of: Caps): string[] => benchRows(of).map(keyOf);
  const begins = (keys: readonly string[], start: string): boolean =>
    keys.some((key) => key.startsWith(start));

  test.each(["layernormBackward", "softmaxBackward", "crossEntropy", "adamw"])(
    "%s has one that only GPUs have time for",
    (name) => {
      const large = benchRowsOf(name as OpName).at(-1)!;
      const bytes = large.inputs.reduce(
        (sum, spec) => sum + 4 * (spec ? sizeOf(spec.shape) : 0),
        0,
      );
      expect(bytes).toBeGreaterThan(75e6);
      expect(large.only).toBe("gpu");
      const start = `${name} ${show(large.inputs[0]!.shape)}`;
      expect(begins(keysOf(caps), start)).toBe(true);
      expect(begins(keysOf(LAVAPIPE), start)).toBe(false);
    },
  );

  test.each([
    "attention [2, 197, 2304] [4] heads=12 rate=0.1",
    "attentionBackward [64, 50, 64] [64, 50, 192] [64, 50, 64] [64, 4, 50] [4] heads=4 rate=0.1",
    "matmul [8, 64, 64] [8, 64, 64]",
    "matmul [512, 512] [512, 512] transposeA=true transposeB=true",
    "matmul+gelu [64, 50, 64] [64, 256] [256] program",
    "matmul+residual [64, 50, 256] [256, 64] [64] [64, 50, 64] unfused",
  ])("%s", (start) => {
    expect(begins(keysOf(LAVAPIPE), start)).toBe(true);
  });

  test("attention's gradient is timed in f16 where there is f16", () => {
    const half = { ...caps, features: new Set(["subgroups", "shader-f16"]) };
    const start = "attentionBackward [64, 50, 64] f16 ";
    expect([keysOf(caps), keysOf(half)].map((keys) => begins(keys, start))).toEqual([false, true]);
  });
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
