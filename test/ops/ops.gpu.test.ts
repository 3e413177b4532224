/** Every row of the op table on the GPU: forward, every variant, gradient, shape rule, errors. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { cases } from "../../src/kernels/cases.ts";
import type { OpCases } from "../../src/kernels/case.ts";
import { opEntries } from "../../src/kernels/index.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { checkForward, checkGradient, checkThrows, isHeld, isUsable } from "./check.ts";
import { title } from "./samples.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

for (const [name, op] of opEntries())
  describe(name, () => {
    const oracle: OpCases = cases[name];
    for (const sample of [...oracle.samples, ...(oracle.extremes ?? [])])
      for (const variant of Object.keys(op.variants))
        it(`${title(name, sample)} forward ${variant}`, async (context) => {
          const row = { op, oracle, sample };
          if (isUsable(engine, row, variant)) await checkForward(engine, row, variant);
          else context.skip(`${variant} does not take this sample on this adapter`);
        });
    if (op.grad)
      for (const sample of oracle.samples.filter(({ gradient }) => gradient !== false))
        it(`${title(name, sample)} gradient`, async (context) => {
          if (isHeld(engine, sample)) await checkGradient(engine, { op, oracle, sample });
          else context.skip("this adapter has no shader-f16");
        });
    for (const sample of oracle.errors ?? [])
      it(`${title(name, sample)} throws`, (context) => {
        if (!isHeld(engine, sample)) context.skip("this adapter has no shader-f16");
        checkThrows(engine, op, sample);
      });
  });
