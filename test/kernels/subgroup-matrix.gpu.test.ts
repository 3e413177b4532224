/**
 * Every text of the subgroup-matrix kernel compiles. Dawn's null backend has the feature on any
 * machine and checks WGSL fully, though it runs nothing.
 */
import { beforeAll, expect, test } from "vitest";
import { create } from "webgpu";
import { fusePasses } from "../../src/kernels/fuse.ts";
import { table } from "../../src/kernels/index.ts";
import { matmulGpuVariants } from "../../src/kernels/matmul-gpu-variants.ts";
import type { Caps, Pass } from "../../src/kernels/op.ts";
import { at, meta } from "../../src/util/shape.ts";
import { firstPass, linkOf, matrixCaps } from "../../tools/expanded.ts";

const FEATURE = "chromium-experimental-subgroup-matrix" as GPUFeatureName; // unknown to @webgpu/types

const gpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]); // must stay reachable
let device: GPUDevice | null = null;
beforeAll(async () => {
  const adapter = await gpu.requestAdapter();
  if (!adapter?.features.has(FEATURE)) return;
  device = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16", FEATURE] });
});

const unit = (size: number): Caps["subgroupMatrices"][number] => ({
  ...{ component: "f16", result: "f32" },
  ...{ m: size, n: size, k: size },
});
const ADAPTERS = {
  "units of 16, 32 lanes": { ...matrixCaps, adapterClass: "gpu", maxInvocations: 1024 },
  "units of 8, 8 lanes": {
    ...matrixCaps,
    subgroupMin: 8,
    subgroupMax: 8,
    subgroupMatrices: [unit(8)],
  },
  "units of 16 × 8, 64 lanes": {
    ...{ ...matrixCaps, maxInvocations: 1024, subgroupMin: 64, subgroupMax: 64 },
    subgroupMatrices: [{ ...unit(16), n: 8 }],
  },
} satisfies Record<string, Caps>;

const LAYOUTS = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
] as const;

/** A product, 8 terms long or 9: loads in chunks or one by one; likewise its rows and columns. */
function productOf(
  { transposeA, transposeB }: (typeof LAYOUTS)[number],
  [batch, m, n, k]: readonly [number, number, number, number],
  hasBias: boolean,
) {
  const a = meta([batch, ...(transposeA ? [k, m] : [m, k])], "f16");
  const b = meta([batch, ...(transposeB ? [n, k] : [k, n])], "f16");
  return [a, b, hasBias ? meta([n]) : null];
}

/** The kernel's passes, plain and with a GELU and an f16 store at their end. */
function* passesOf(caps: Caps): Generator<Pass> {
  for (const attrs of LAYOUTS)
    for (const batch of [1, 128])
      // tiles of 64 × 64, and of 128 × 128
      for (const [m, n, k] of [
        [8, 8, 8],
        [9, 8, 8],
        [8, 9, 8],
        [8, 12, 9],
        [9, 9, 9],
      ] as const)
        for (const hasBias of [false, true]) {
          const inputs = productOf(attrs, [batch, m, n, k], hasBias);
          const plain = at(matmulGpuVariants.subgroupMatrix.plan(inputs, attrs, caps).passes, 0);
          yield plain;
          const shape = [batch, m, n];
          const links = [
            linkOf(firstPass(table.gelu, [shape]), [0], true),
            linkOf(firstPass(table.cast, [shape], { dtype: "f16" }), [0]),
          ];
          const fused = fusePasses(plain, links, caps);
          if (fused) yield fused.pass;
        }
}

for (const [name, caps] of Object.entries(ADAPTERS))
  test(`${name}: every text compiles without a message`, async (context) => {
    if (!device) return context.skip("Dawn's null backend lacks subgroup matrices");
    const codes = new Set([...passesOf(caps)].map(({ code }) => code));
    expect(codes.size).toBeGreaterThan(100);
    for (const code of codes) {
      device.pushErrorScope("validation");
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([]);
      expect(await device.popErrorScope()).toBeNull();
    }
  });
