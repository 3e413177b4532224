/** Plans under made-up limits: grids fold, bindings and params stay within WebGPU's bounds. */
import { describe, expect, it } from "vitest";
import { cases } from "../../src/kernels/cases.ts";
import type { OpCases } from "../../src/kernels/case.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { Caps } from "../../src/kernels/op.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import { foldGrid } from "../../src/kernels/pass.ts";
import { LimitError } from "../../src/util/errors.ts";
import { at, bytesOf, meta, sizeOf } from "../../src/util/shape.ts";
import { goldenCaps, metasOf, plannedSamples } from "../../tools/expanded.ts";

const few: Caps = { ...goldenCaps, maxWorkgroups: 4 };

describe("foldGrid", () => {
  it("stays in one dimension while it can", () => {
    expect(foldGrid(65_535, goldenCaps)).toEqual([65_535, 1, 1]);
    expect(foldGrid(4, few)).toEqual([4, 1, 1]);
  });
  it("folds beyond, with every workgroup covered", () => {
    for (const count of [5, 7, 13, 16]) {
      const [x, y, z] = foldGrid(count, few);
      expect(Math.max(x, y)).toBeLessThanOrEqual(4);
      expect(x * y * z).toBeGreaterThanOrEqual(count);
    }
    const [x, y] = foldGrid(65_536, goldenCaps);
    expect([x, y]).toEqual([32_768, 2]);
  });
  it("dispatches once for nothing", () => {
    expect(foldGrid(0, few)).toEqual([1, 1, 1]);
  });
  it("throws beyond two dimensions", () => {
    expect(() => foldGrid(17, few)).toThrow(LimitError);
    expect(() => foldGrid(17, few)).toThrow(/17 workgroups exceed the adapter's 4²/);
  });
});

describe("plans of bench rows keep WebGPU's limits", () => {
  for (const [name, op] of opEntries()) {
    const { bench = [] }: OpCases = cases[name];
    bench.forEach((row, index) => {
      it(`${name} row ${index}`, () => {
        const metas = metasOf(row);
        const attrs = { ...op.defaults, ...row.attrs };
        const variant = pickVariant(op, metas, attrs, goldenCaps);
        const plan = op.variants[variant]?.plan(metas, attrs, goldenCaps);
        for (const { grid } of plan?.passes ?? [])
          expect(Math.max(...grid)).toBeLessThanOrEqual(goldenCaps.maxWorkgroups);
        for (const temp of plan?.temps ?? [])
          expect(bytesOf(temp)).toBeLessThanOrEqual(goldenCaps.maxBindingBytes);
      });
    });
  }
});

/** The uniform slot of a pass, in words. */
const SLOT_WORDS = 64;

describe("plans of samples", () => {
  it("have labels, whole grids, few enough bindings, and params that fit their slot", () => {
    for (const { op, variant, passes } of plannedSamples())
      for (const pass of passes) {
        const where = `${op.name}.${variant}: ${pass.label}`;
        expect(pass.label, where).not.toBe("");
        expect(pass.params.length, where).toBeLessThanOrEqual(SLOT_WORDS);
        for (const size of pass.grid) expect(Number.isInteger(size) && size > 0, where).toBe(true);
        for (const param of pass.params)
          for (const [kind, value] of Object.entries(param)) {
            expect(Number.isFinite(value), where).toBe(true);
            if (kind !== "f32") expect(Number.isInteger(value), where).toBe(true);
          }
        const storage = pass.bindings.filter(({ access }) => access !== "uniform");
        expect(storage.length, where).toBeLessThanOrEqual(goldenCaps.maxStorageBuffers);
      }
  });

  it("fold within 4 workgroups a dimension, or say that they cannot", () => {
    let folded = 0;
    for (const { op, variant, sample, passes } of plannedSamples()) {
      const metas = metasOf(sample);
      const attrs = { ...op.defaults, ...sample.attrs };
      const wanted = Math.max(...passes.map(({ grid }) => sizeOf(grid)));
      const plan = () => op.variants[variant]?.plan(metas, attrs, few).passes ?? [];
      if (wanted > 16) expect(plan, op.name).toThrow(LimitError);
      else
        plan().forEach(({ grid }, index) => {
          expect(Math.max(...grid), `${op.name}.${variant}`).toBeLessThanOrEqual(4);
          const flat = sizeOf(at(passes, index).grid);
          expect(sizeOf(grid), `${op.name}.${variant}`).toBeGreaterThanOrEqual(flat);
          if (flat > 4) folded++;
        });
    }
    expect(folded, "samples that fold").toBeGreaterThan(10);
  });
});

describe("elementwise beyond 65,535 workgroups", () => {
  it("folds into y", () => {
    const op = opEntries().find(([name]) => name === "add")?.[1];
    const gridOn = (adapterClass: "cpu" | "gpu", rows: number) => {
      const large = meta([rows, 4000]); // in vectors of 4
      return op?.variants["elementwise"]
        ?.plan([large, large], {}, { ...goldenCaps, adapterClass })
        .passes.map(({ grid }) => grid);
    };
    expect(gridOn("gpu", 20_000), "workgroups of 64").toEqual([[62_500, 5, 1]]);
    expect(gridOn("cpu", 200_000), "workgroups of 256 × 8").toEqual([[48_829, 2, 1]]);
  });
});
