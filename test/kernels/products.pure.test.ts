/** Plans of matmul and attention: which kernel, how many passes, what is folded, copied or split. */
import { describe, expect, it } from "vitest";
import { attention, attentionBackward } from "../../src/kernels/attention.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import type { Attrs, Caps, InputMetas, OpDef, Plan } from "../../src/kernels/op.ts";
import { usableVariants } from "../../src/kernels/picks.ts";
import { at, meta, sizeOf } from "../../src/util/shape.ts";

const LAVAPIPE: Caps = {
  adapterClass: "cpu",
  maxWorkgroups: 65_535,
  maxBindingBytes: 2 ** 27,
  maxInvocations: 1_024,
  maxWorkgroupBytes: 32_768,
  maxStorageBuffers: 16,
  subgroupMin: 8,
  subgroupMax: 8,
  subgroupMatrices: [],
  features: new Set(["subgroups"]),
};
const BARE: Caps = {
  ...LAVAPIPE,
  maxInvocations: 256,
  maxWorkgroupBytes: 16_384,
  subgroupMin: 0,
  subgroupMax: 0,
  features: new Set<string>(),
};
const GPU: Caps = { ...LAVAPIPE, adapterClass: "gpu", subgroupMin: 32, subgroupMax: 32 };

const shapes = (...list: (readonly number[] | null)[]): InputMetas =>
  list.map((shape) => shape && meta(shape));

const NN = { transposeA: false, transposeB: false };

/** The plan of the variant that the adapter gets, or of another. */
function planOf<A extends Attrs>(
  op: OpDef<A>,
  inputs: InputMetas,
  attrs: A,
  caps: Caps,
  wanted?: string,
): Plan {
  const plan = op.variants[pickVariant(op, inputs, attrs, caps, wanted)]?.plan(inputs, attrs, caps);
  if (!plan) throw new RangeError(`${op.name}: no such variant`);
  return plan;
}

const planMatmul = (inputs: InputMetas, attrs: typeof NN, caps: Caps, wanted?: string): Plan =>
  planOf(matmul, inputs, attrs, caps, wanted);

/** Bytes of a shader's workgroup arrays. */
function workgroupBytes(code: string): number {
  const sizes = { f32: 4, u32: 4, vec4f: 16 };
  return [...code.matchAll(/var<workgroup> \w+: array<(f32|u32|vec4f), (\d+)>/g)].reduce(
    (sum, [, type, count]) => sum + sizes[type as keyof typeof sizes] * Number(count),
    0,
  );
}

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

describe("attention plan", () => {
  const qkv = shapes([64, 50, 192]);
  const attrs = { ...attention.defaults, heads: 4 };

  it("picks by adapter", () => {
    const picks = [LAVAPIPE, BARE, GPU].map((caps) => pickVariant(attention, qkv, attrs, caps));
    expect(picks).toEqual(["lanes", "tiled", "tiled"]);
  });

  it("fills its blocks evenly", () => {
    const workgroups = (tokens: number) => {
      const inputs = shapes([1, tokens, 48]);
      return sizeOf(at(planOf(attention, inputs, { ...attrs, heads: 1 }, LAVAPIPE).passes, 0).grid);
    };
    expect([1, 50, 64, 65, 197].map(workgroups)).toEqual([1, 1, 1, 2, 4]);
  });

  it("gives wide heads to kernels that no limit keeps from them", () => {
    const picks = [128, 130, 156, 157].map((headSize) =>
      [LAVAPIPE, GPU].map((caps) =>
        pickVariant(attention, shapes([1, 5, 3 * headSize]), { ...attrs, heads: 1 }, caps),
      ),
    );
    expect(picks).toEqual([
      ["lanes", "tiled"],
      ["tiled", "tiled"],
      ["tiled", "tiled"],
      ["wide", "wide"],
    ]);
    const huge = planOf(attention, shapes([1, 5, 30_000]), { ...attrs, heads: 1 }, BARE);
    expect(huge.passes).toHaveLength(1);
  });

  it("keeps tiles and masks within workgroup memory", () => {
    const most = [
      [16_384, 76],
      [32_768, 156],
      [49_152, 244],
    ] as const; // the widest heads that fit
    for (const [maxWorkgroupBytes, widest] of most)
      for (const headSize of [3, 16, 63, 64, widest])
        for (const tokens of [9, 4_000])
          for (const rate of [0, 0.5]) {
            const shape = (width: number) => [3, tokens, width];
            const inputs = [
              ...shapes(shape(headSize), shape(3 * headSize), shape(headSize), [3, 1, tokens]),
              meta([4], "u32"),
            ];
            const caps = { ...BARE, maxWorkgroupBytes };
            const call = [{ heads: 1, rate, stream: 0 }, caps] as const;
            expect(pickVariant(attentionBackward, inputs, ...call)).toBe("tiled");
            const forward = planOf(attention, inputs.slice(1), ...call);
            const backward = planOf(attentionBackward, inputs, ...call);
            for (const { code } of [...forward.passes, ...backward.passes])
              expect(workgroupBytes(code)).toBeLessThanOrEqual(maxWorkgroupBytes);
          }
    const tiny = { ...BARE, maxWorkgroupBytes: 1_024 };
    expect(pickVariant(attention, shapes([1, 5, 384]), { ...attrs, heads: 1 }, tiny)).toBe("wide");
  });

  it("makes two workgroups for each multiprocessor of a large GPU", () => {
    const large = { ...GPU, maxWorkgroupBytes: 49_152 };
    const grids = ([N, T, H, headSize]: readonly [number, number, number, number]) => {
      const D = H * headSize;
      const all = { ...attrs, heads: H };
      const { passes } = planOf(attention, shapes([N, T, 3 * D]), all, large);
      const inputs = shapes([N, T, D], [N, T, 3 * D], [N, T, D], [N, H, T]);
      const [, ...backward] = planOf(attentionBackward, inputs, all, large).passes;
      return [...passes, ...backward].map(({ grid }) => sizeOf(grid));
    };
    expect(grids([2, 197, 12, 64])).toEqual([312, 312, 312]); // blocks of 16 rows
    expect(grids([64, 50, 4, 16])).toEqual([512, 512, 512]); // of 32
    expect(grids([64, 197, 12, 64])).toEqual([5376, 5376, 5376]);
  });

  it("needs no memory of the size of the maps", () => {
    const inputs = shapes([2, 197, 768], [2, 197, 2304], [2, 197, 768], [2, 12, 197]);
    for (const variant of Object.values(attentionBackward.variants)) {
      const { temps, passes } = variant.plan(inputs, { ...attrs, heads: 12 }, LAVAPIPE);
      expect(temps.map(({ shape }) => shape)).toEqual([[2, 12, 197]]);
      expect(passes).toHaveLength(3);
    }
  });
});
