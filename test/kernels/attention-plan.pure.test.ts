/** Plans of attention and its gradient: which kernel, and how many workgroups. */
import { describe, expect, it } from "vitest";
import { attention, attentionBackward } from "../../src/kernels/attention.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import { at, meta, sizeOf } from "../../src/util/shape.ts";
import { BARE, GPU, LAVAPIPE, planOf, shapes, workgroupBytes } from "./adapters.ts";

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
            const call = [{ heads: 1, queries: 0, rate, stream: 0 }, caps] as const;
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
