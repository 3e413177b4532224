/** Plans of f16 products on subgroup matrices: when, in which tiles, in how much memory. */
import { describe, expect, it } from "vitest";
import { matmul } from "../../src/kernels/matmul.ts";
import { matmulGpuVariants } from "../../src/kernels/matmul-gpu-variants.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import type { Caps, InputMetas, Plan } from "../../src/kernels/op.ts";
import { at, meta, sizeOf } from "../../src/util/shape.ts";
import { matrixCaps } from "../../tools/expanded.ts";

/** An H100 with what NECO_UNSAFE_GPU=1 turns on. */
const H100: Caps = {
  ...{ ...matrixCaps, adapterClass: "gpu", maxInvocations: 1_024 },
  subgroupMatrices: [
    { component: "f16", result: "f16", m: 16, n: 16, k: 16 },
    { component: "f16", result: "f32", m: 16, n: 8, k: 16 },
    { component: "f16", result: "f32", m: 16, n: 16, k: 16 },
    { component: "i8", result: "i32", m: 16, n: 16, k: 32 },
  ],
};

const NN = { transposeA: false, transposeB: false };

const plan = (inputs: InputMetas, attrs: typeof NN, caps: Caps): Plan =>
  matmulGpuVariants.subgroupMatrix.plan(inputs, attrs, caps);

const workgroupBytes = (code: string): number =>
  [...code.matchAll(/var<workgroup> \w+: array<vec4u, (\d+)>/g)].reduce(
    (sum, [, count]) => sum + 16 * Number(count),
    0,
  );

describe("matmul on subgroup matrices", () => {
  const halves = (...list: (readonly number[] | null)[]): InputMetas =>
    list.map((shape) => shape && meta(shape, "f16"));
  const square = (size: number) => halves([size, size], [size, size]);
  const constant = (code: string, name: string): number =>
    Number(new RegExp(`const ${name}: u32 = (\\d+)u;`).exec(code)?.[1]);

  it("is the pick of f16 on GPUs that have them, and of nothing else", () => {
    const pick = (inputs: InputMetas, caps: Caps) => pickVariant(matmul, inputs, NN, caps);
    expect(pick(square(64), H100)).toBe("subgroupMatrix");
    expect(pick([meta([64, 64]), meta([64, 64])], H100)).toBe("smallTiled");
    expect(pick(square(64), { ...H100, adapterClass: "cpu" })).toBe("registerTile");
    const others: Partial<Caps>[] = [
      { subgroupMatrices: [] },
      { subgroupMatrices: H100.subgroupMatrices.filter(({ result }) => result !== "f32") },
      { subgroupMin: 16 }, // which subgroup has which part would be anybody's guess
      { maxWorkgroupBytes: 16_384 },
      { maxInvocations: 64 },
    ];
    for (const other of others)
      expect(pick(square(64), { ...H100, ...other })).not.toBe("subgroupMatrix");
  });

  it("takes the largest unit with f32 sums, and large tiles where there are enough", () => {
    const tileOf = (inputs: InputMetas, caps = H100) => {
      const { code, grid } = at(plan(inputs, NN, caps).passes, 0);
      expect(code).toContain("subgroup_matrix_result<f32, 16, 16>");
      expect(workgroupBytes(code)).toBeLessThanOrEqual(caps.maxWorkgroupBytes);
      return [constant(code, "TILE_ROWS"), constant(code, "TILE_COLS"), sizeOf(grid)];
    };
    expect(tileOf(square(4096))).toEqual([128, 128, 1024]);
    expect(tileOf(square(1024))).toEqual([64, 64, 256]);
    expect(tileOf(halves([256, 100, 64], [256, 64, 100]))).toEqual([128, 128, 256]);
    expect(tileOf(square(4096), { ...H100, maxWorkgroupBytes: 32_768 })[0]).toBe(64);
    expect(tileOf(square(4096), { ...H100, maxInvocations: 128 })[0]).toBe(64);
  });

  it("fits workgroup memory in every layout", () => {
    for (const transposeA of [false, true])
      for (const transposeB of [false, true])
        for (const [size, limit] of [
          [4096, 49_152],
          [64, 20_480],
        ] as const) {
          const attrs = { transposeA, transposeB };
          const caps = { ...H100, maxWorkgroupBytes: limit };
          const { code } = at(plan(square(size), attrs, caps).passes, 0);
          expect(workgroupBytes(code)).toBeGreaterThan(0);
          expect(workgroupBytes(code)).toBeLessThanOrEqual(limit);
        }
  });

  it("splits long sums, and has y in fours though b is not", () => {
    const tall = plan(halves([3200, 64], [3200, 192]), { ...NN, transposeA: true }, H100);
    expect(tall.passes).toHaveLength(2);
    const { code, tail } = at(
      plan(halves([64, 9], [12, 9]), { ...NN, transposeB: true }, H100).passes,
      0,
    );
    expect(tail?.width).toBe(4);
    expect(code).toContain("var<storage, read> b: array<Element>;");
  });
});
