/** The squared error's decomposition against numpy float64, and the identity that it rests on. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { neuralCollapse } from "../../src/neco/index.ts";
import type { NcMetrics } from "../../src/neco/index.ts";
import { openRegime } from "./regimes.ts";
import type { Regime } from "./regimes.ts";

type Parts = NonNullable<NcMetrics["mse"]>;

const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL("../golden/mse.json", import.meta.url)), "utf8"),
) as Record<"plain" | "collapsed" | "heavy" | "lowrank", Parts[]>;

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

async function partsOf(regime: Regime, mseWeightDecay: number): Promise<Parts> {
  const { train, head } = await openRegime(regime);
  return (await neuralCollapse(engine, { features: train, weights: head, mseWeightDecay })).mse!;
}

describe.each(Object.keys(golden) as (keyof typeof golden)[])("%s", (regime) => {
  test.each(golden[regime])("weight decay $weight_decay", async (want) => {
    const got = await partsOf(regime, want.weight_decay);
    for (const key of ["lnc1", "lnc2_3", "l_perp", "loss"] as const)
      expect(Math.abs(got[key] / want[key] - 1), key).toBeLessThan(1e-4);
  });
  test.each(golden[regime])(
    "the regularised loss is twice that loss: $weight_decay",
    async (want) => {
      const { train, head } = await openRegime(regime);
      const asked = { kind: "mse", weightDecay: want.weight_decay } as const;
      const { loss } = await neuralCollapse(engine, {
        features: train,
        weights: head,
        loss: asked,
      });
      expect(Math.abs(loss!.total / (2 * want.loss) - 1)).toBeLessThan(1e-5);
      expect(loss!.total).toBe(loss!.mean + loss!.penalty);
      expect([loss!.kind, loss!.parameters]).toEqual(["mse", "head"]);
    },
  );
  test("the parts add up to the loss, since classes are equal", async () => {
    const { lnc1, lnc2_3, l_perp, loss } = await partsOf(regime, 5e-4);
    expect((lnc1 + lnc2_3 + l_perp) / loss).toBeCloseTo(1, 6);
  });
});

test("only where a weight decay is given, which must be above 0", async () => {
  const { train, head } = await openRegime("plain");
  expect((await neuralCollapse(engine, { features: train, weights: head })).mse).toBeUndefined();
  await expect(partsOf("plain", 0)).rejects.toThrow(/weight decay must be above 0, not 0/);
});
