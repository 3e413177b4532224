/** Which layout layernorm picks under made-up adapters, and that its plans fit them. */
import { expect, it } from "vitest";
import { layernorm } from "../../src/kernels/layernorm.ts";
import { layernormBackward } from "../../src/kernels/layernormBackward.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import type { Caps, OpDef } from "../../src/kernels/op.ts";
import { at, meta } from "../../src/util/shape.ts";

const caps = (changes: Partial<Caps>): Caps => ({
  adapterClass: "cpu",
  maxWorkgroups: 65_535,
  maxBindingBytes: 2 ** 27,
  maxInvocations: 256,
  maxWorkgroupBytes: 16_384,
  maxStorageBuffers: 8,
  subgroupMin: 8,
  subgroupMax: 8,
  subgroupMatrices: [],
  features: new Set(),
  ...changes,
});

const forward = (rows: number, cols: number) => [meta([rows, cols]), meta([cols]), meta([cols])];
const backward = (rows: number, cols: number) => [
  meta([rows, cols]),
  ...forward(rows, cols).slice(0, 2),
  meta([rows]),
  meta([rows]),
];

const picked = (cols: number, changes: Partial<Caps>): string =>
  pickVariant(layernorm as OpDef, forward(9, cols), layernorm.defaults, caps(changes));

it("keeps rows in registers while that compiles fast, and reads wide ones again", () => {
  expect(picked(64, {})).toBe("rowPerSubgroup");
  expect(picked(128, {})).toBe("rowPerSubgroup");
  expect(picked(192, {})).toBe("rowsPerSubgroup");
  const gpu = { adapterClass: "gpu", subgroupMin: 32, subgroupMax: 32 } as const;
  expect(picked(1280, gpu)).toBe("rowPerSubgroup");
});

it("shares a workgroup among rows where the subgroup size varies or is missing", () => {
  expect(picked(64, { subgroupMin: 8, subgroupMax: 32 })).toBe("rowPerWorkgroup");
  expect(picked(64, { subgroupMin: 0, subgroupMax: 0 })).toBe("rowPerWorkgroup");
});

it("folds its grid past the limit and bounds the partial sums", () => {
  const gpu = caps({ adapterClass: "gpu", maxWorkgroups: 40 });
  const plan = layernorm.variants["rowPerWorkgroup"]?.plan(
    forward(1000, 64),
    layernorm.defaults,
    gpu,
  );
  expect(plan?.passes[0]?.grid).toEqual([40, 25, 1]);
  for (const [name, variant] of Object.entries(layernormBackward.variants)) {
    const { temps } = variant.plan(backward(100_003, 64), {}, caps({}));
    expect(at(at(temps, 0).shape, 0)).toBeLessThanOrEqual(name === "sharedSums" ? 256 : 128);
  }
});

it("adds up the sums of a workgroup's subgroups on GPUs", () => {
  const gpu = caps({ adapterClass: "gpu", subgroupMin: 32, subgroupMax: 32 });
  const planned = (rows: number) => {
    const inputs = backward(rows, 64);
    const variant = pickVariant(layernormBackward, inputs, {}, gpu);
    const plan = layernormBackward.variants[variant]?.plan(inputs, {}, gpu);
    return {
      variant,
      blocks: plan?.temps[0]?.shape[0],
      grids: plan?.passes.map(({ grid }) => grid[0]),
    };
  };
  // 8 subgroups of 2 rows in each of 200 workgroups, then 128 sums, 8 in each workgroup
  expect(planned(3200)).toEqual({ variant: "sharedSums", blocks: 200, grids: [200, 16] });
  expect(planned(100_003).blocks).toBeLessThanOrEqual(256);
  expect(planned(3).blocks).toBe(1);
});

it("plans the gradient of no rows as zeros", () => {
  const plan = layernormBackward.variants["rowPerSubgroup"]?.plan(backward(0, 64), {}, caps({}));
  expect(plan?.passes.map(({ label }) => label)).toEqual(["layernormBackward dweight, dbias [64]"]);
});
