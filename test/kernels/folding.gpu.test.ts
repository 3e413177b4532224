/** Folded grids on the GPU: an engine that believes in 4 workgroups per dimension computes the same. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import { Engine } from "../../src/engine/engine.ts";
import { cases } from "../../src/kernels/cases.ts";
import type { OpCases } from "../../src/kernels/case.ts";
import { opEntries } from "../../src/kernels/index.ts";
import { LimitError } from "../../src/util/errors.ts";
import { at, sizeOf } from "../../src/util/shape.ts";
import { plannedSamples } from "../../tools/expanded.ts";
import { isHeld } from "../ops/check.ts";
import { worst } from "../ops/compare.ts";
import { hostArray, materialise, title } from "../ops/samples.ts";

const MAX_WORKGROUPS = 4;
const SEED = 23;

let engine: Engine;
beforeAll(async () => {
  const { gpu } = await createEngine();
  engine = new Engine({ ...gpu, caps: { ...gpu.caps, maxWorkgroups: MAX_WORKGROUPS } }, {});
});
afterAll(() => {
  engine.destroy();
});

/** One sample of each op and variant whose grid must fold, and can. */
const folding = new Map(
  [...plannedSamples()]
    .filter(({ op, passes }) => {
      const sizes = passes.map(({ grid }) => sizeOf(grid));
      return !op.mutates && Math.max(...sizes) > MAX_WORKGROUPS && Math.max(...sizes) <= 16;
    })
    .map((planned) => [`${planned.op.name}.${planned.variant}`, planned]),
);

describe("4 workgroups per dimension", () => {
  it("makes several ops fold", () => {
    expect(folding.size).toBeGreaterThan(5);
  });
  for (const { op, variant, sample } of folding.values())
    it(`${title(op.name, sample)} ${variant}`, async (context) => {
      if (!isHeld(engine, sample)) context.skip("this adapter has no shader-f16");
      const attrs = { ...op.defaults, ...sample.attrs };
      const inputs = materialise(sample, SEED);
      const [name] = at(
        opEntries().filter(([, candidate]) => candidate === op),
        0,
      );
      const oracle: OpCases = cases[name];
      const expected = oracle.reference(inputs, attrs);
      const scales = oracle.scale?.(inputs, attrs) ?? expected;
      await engine.scope(async () => {
        const tensors = sample.inputs.map((spec, index) => {
          const values = at(inputs, index);
          return spec && values ? engine.tensor(hostArray(spec, values.data), spec.shape) : null;
        });
        if (!op.variants[variant]?.usable(tensors, attrs, engine.caps))
          context.skip(`${variant} does not take this sample on this adapter`);
        // The samples were chosen for subgroups of 8; narrower tiles make more workgroups.
        const fits = (): boolean => {
          try {
            op.variants[variant]?.plan(tensors, attrs, engine.caps);
            return true;
          } catch (error) {
            if (error instanceof LimitError) return false;
            throw error;
          }
        };
        if (!fits()) context.skip("this adapter's tiles are more than 4² workgroups hold");
        const outputs = engine.run(op, tensors, attrs, variant);
        for (const [k, want] of expected.entries()) {
          const result = at(outputs, k);
          const isHalf = result.dtype === "f16";
          const got = isHalf ? await result.floats() : await result.data();
          const { ratio, line } = worst(got, want, at(scales, k), { ...oracle.tolerance, isHalf });
          expect(ratio, line).toBeLessThanOrEqual(1);
        }
      });
    });
});
