/** Kernels for subgroups of any size, told of sizes around the adapter's: they must not rely on it. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import { Engine } from "../../src/engine/engine.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import { matmulCases } from "../../src/kernels/matmul.cases.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { checkForward, isUsable } from "../ops/check.ts";
import { title } from "../ops/samples.ts";

let engine: Engine;
beforeAll(async () => {
  const { gpu } = await createEngine();
  const { subgroupMin } = gpu.caps;
  const caps = { ...gpu.caps, subgroupMin: Math.min(4, subgroupMin), subgroupMax: 64 };
  engine = new Engine({ ...gpu, caps }, {});
});
afterAll(() => {
  engine.destroy();
});

const samples = [
  { inputs: [{ shape: [9, 15] }, { shape: [15, 260] }] }, // several subgroups have columns
  { inputs: [{ shape: [7, 9] }, { shape: [257, 9] }], attrs: { transposeB: true } },
];

describe("subgroups of 4 to 64 lanes", () => {
  for (const sample of samples)
    it(`${title("matmul", sample)} subgroupRows`, async (context) => {
      const row = { op: matmul as OpDef, oracle: matmulCases, sample };
      if (!isUsable(engine, row, "subgroupRows")) context.skip("the adapter has no subgroups");
      await checkForward(engine, row, "subgroupRows");
    });
});
