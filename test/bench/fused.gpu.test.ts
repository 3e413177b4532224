/** The rows of fused products measure what their label says: one pass, or two. */
import { expect, test } from "vitest";
import { fusedRows } from "../../bench/rows/fused.ts";
import { keyOf } from "../../bench/rows/row.ts";
import { createEngine } from "../../src/engine/index.ts";

// Long products of few rows may be split over their terms, which is a pass of its own.
const small = fusedRows.filter(({ shape }) => shape.startsWith("[64, 50"));

test.each(small.map((row) => [keyOf(row), row] as const))("%s", async (_, row) => {
  const engine = await createEngine();
  const work = await row.prepare(engine);
  await work.run();
  await engine.finish();
  const passes = row.variant === "program" ? 1 : 2;
  expect(await work.facts?.()).toMatchObject({ program: { passes } });
  expect(work.cost().flops).toBeGreaterThanOrEqual(2 * 3200 * 64 * 256);
  engine.destroy();
});
