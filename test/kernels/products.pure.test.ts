/** Plans of matmul: which kernel, how many passes, what is folded, copied or split. */
import { describe, expect, it } from "vitest";
import { matmul } from "../../src/kernels/matmul.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import type { Caps, InputMetas, OpDef, Plan } from "../../src/kernels/op.ts";
import { usableVariants } from "../../src/kernels/picks.ts";
import { at, sizeOf } from "../../src/util/shape.ts";
import { BARE, GPU, LAVAPIPE, planOf, shapes, workgroupBytes } from "./adapters.ts";

const NN = { transposeA: false, transposeB: false };

const planMatmul = (inputs: InputMetas, attrs: typeof NN, caps: Caps, wanted?: string): Plan =>
  planOf(matmul, inputs, attrs, caps, wanted);

describe("matmul plan", () => {
  const inputs = shapes([64, 50, 64], [64, 192], [192]);

  it("picks by adapter", () => {
    const picks = [LAVAPIPE, BARE, GPU].map((caps) => pickVariant(matmul, inputs, NN, caps));
    expect(picks).toEqual(["broadcast", "registerTile", "smallTiled"]);
  });

  it("picks tiles on GPUs by how many there are, and how full", () => {
    const pick = (m: number, n: number, caps = GPU) =>
      pickVariant(matmul, shapes([m, 64], [64, n]), NN, caps);
    expect([1, 4, 5, 197].map((rows) => pick(rows, 768))).toEqual([
      ...["fewRows", "fewRows", "smallTiled", "smallTiled"],
    ]);
    expect([512, 1024, 1792, 2048].map((side) => pick(side, side))).toEqual([
      ...["smallTiled", "workgroupTiled", "workgroupTiled", "workgroupTiled"],
    ]);
    // Tall and narrow: half of a tile's columns would be empty.
    expect(pick(40_000, 64)).toBe("workgroupTiled");
    expect(pick(40_000, 32)).toBe("smallTiled");
    const batched = shapes([300, 64, 64], [300, 64, 64]);
    expect(pickVariant(matmul, batched, NN, GPU)).toBe("workgroupTiled");
    // Without the lanes for large tiles the next smaller ones serve.
    expect(pick(2048, 2048, { ...GPU, maxInvocations: 128 })).toBe("smallTiled");
  });

  it("keeps tiles within the memory that variants ask for", () => {
    for (const variant of usableVariants(matmul as OpDef, shapes([4, 8], [8, 4]), NN, GPU))
      for (const limit of [4_096, 16_384, 32_768]) {
        const caps = { ...GPU, maxWorkgroupBytes: limit };
        if (!usableVariants(matmul as OpDef, shapes([4, 8], [8, 4]), NN, caps).includes(variant))
          continue;
        const { code } = at(planMatmul(shapes([4, 8], [8, 4]), NN, caps, variant).passes, 0);
        expect(workgroupBytes(code), variant).toBeLessThanOrEqual(limit);
      }
  });

  it("offers the tuner kernels for GPUs, whatever their subgroups are", () => {
    const sizes = [
      [16, 32],
      [64, 64],
      [8, 8],
      [4, 64],
      [64, 128],
      [0, 0],
    ] as const;
    const offered = sizes.map(([subgroupMin, subgroupMax]) => {
      const caps = { ...GPU, subgroupMin, subgroupMax };
      expect(usableVariants(matmul as OpDef, inputs, NN, caps)).toContain("doubleBuffered");
      if (!usableVariants(matmul as OpDef, inputs, NN, caps).includes("subgroupRows")) return null;
      const code = planMatmul(inputs, NN, caps, "subgroupRows").passes[0]?.code ?? "";
      return ["LANES", "DEPTH", "COL_GROUPS"].map((name) =>
        Number(new RegExp(`const ${name}: u32 = (\\d+)u;`).exec(code)?.[1]),
      );
    });
    // A turn's terms fit the smallest subgroup, a workgroup holds one of the largest.
    expect(offered).toEqual([[32, 16, 2], [64, 16, 1], [32, 8, 2], [64, 4, 1], null, null]);
    const { code } = at(planMatmul(inputs, NN, BARE, "doubleBuffered").passes, 0);
    expect(workgroupBytes(code)).toBeLessThanOrEqual(BARE.maxWorkgroupBytes);
  });

  it("takes the batches of a shared b as rows of one product", () => {
    const plan = planMatmul(inputs, NN, LAVAPIPE);
    expect(plan.passes.map(({ label }) => label)).toEqual(["matmul y [1, 3200, 192] over 64"]);
    expect(sizeOf(at(plan.passes, 0).grid)).toBe((3200 / 32) * (192 / 64));
  });

  it("copies a transposed b for many rows only, and never on GPUs", () => {
    const attrs = { ...NN, transposeB: true };
    const passes = (rows: number, caps: Caps) =>
      planMatmul(shapes([rows, 192], [64, 192]), attrs, caps).passes.length;
    expect(passes(3200, LAVAPIPE)).toBe(2);
    expect(passes(63, LAVAPIPE)).toBe(1);
    expect(passes(3200, GPU)).toBe(1);
  });

  it("splits long sums of few tiles, and adds the parts in a second pass", () => {
    const attrs = { ...NN, transposeA: true };
    const tall = shapes([3200, 64], [3200, 64]);
    const plan = planMatmul(tall, attrs, GPU);
    expect(plan.passes).toHaveLength(2);
    const parts = at(at(plan.temps, 0).shape, 0);
    expect(parts).toBeGreaterThan(1);
    expect(sizeOf(at(plan.passes, 0).grid)).toBe(4 * parts); // tiles of 32 × 32
    // Parts cover all terms, the last one with what is left.
    const each = at(at(plan.passes, 0).params, 5);
    expect("u32" in each && each.u32 * parts >= 3200 && each.u32 * (parts - 1) < 3200).toBe(true);
  });

  it("adds a bias to the sum of the parts, and on CPUs does not split then", () => {
    const attrs = { ...NN, transposeA: true };
    const biased = shapes([3200, 8], [3200, 8], [8]);
    const { passes } = planMatmul(biased, attrs, GPU);
    expect(passes.map(({ bindings }) => bindings.map(({ slot }) => slot))).toEqual([
      ["in0", "in1", "temp0"],
      ["temp0", "in2", "out0"],
    ]);
    expect(passes.map(({ tail }) => tail?.binding)).toEqual([undefined, 2]);
    expect(planMatmul(biased, attrs, LAVAPIPE).passes).toHaveLength(1);
    expect(planMatmul(biased.slice(0, 2), attrs, LAVAPIPE).passes).toHaveLength(2);
  });

  it("has as many parts on GPUs as keep them busy, of 128 terms at least", () => {
    const partsOf = ([m, k, n]: readonly [number, number, number]): number => {
      const { temps } = planMatmul(shapes([m, k], [k, n], [n]), NN, GPU);
      return temps[0] ? at(temps[0].shape, 0) : 1;
    };
    expect(partsOf([197, 3072, 768])).toBe(6); // 168 tiles of 64 lanes
    expect(partsOf([394, 384, 384])).toBe(3); // as many as it has 128 terms
    expect(partsOf([64, 3200, 192])).toBe(25);
    expect(partsOf([197, 768, 3072])).toBe(1); // 672 tiles
    expect(partsOf([197, 768, 2304])).toBe(1); // 504 tiles, half of what fills it
    expect(partsOf([64, 383, 64])).toBe(1); // two parts would not pay
    expect(partsOf([1, 768, 3072])).toBe(1); // its lanes share out k
    expect(partsOf([1, 3072, 768])).toBe(3);
    // What the second pass reads is bounded: at most 64 elements a lane.
    for (const side of [32, 100, 300, 700, 1000])
      expect(partsOf([side, 8192, side]) * side * side).toBeLessThan(4.4e6);
  });

  it("does nothing for an empty product", () => {
    expect(planMatmul(shapes([0, 4], [4, 3]), NN, LAVAPIPE).passes).toEqual([]);
  });
});
