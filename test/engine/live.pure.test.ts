/** The least memory that a program's values need. */
import { expect, it } from "vitest";
import fc from "fast-check";
import { mostLiveBytes } from "../../src/engine/live.ts";
import { planMemory } from "../../src/engine/plan.ts";

const lifetimes = (...spans: [number, number][]) =>
  new Map(spans.map(([first, last], id) => [id, { first, last }]));
const sizes = (...bytes: number[]) => new Map(bytes.map((size, id) => [id, size]));

it("is the fullest moment, with both ends of a life counted", () => {
  // 0: steps 0–1, 1: steps 1–2, 2: steps 2–4; steps 1 and 2 hold two of them.
  expect(mostLiveBytes(lifetimes([0, 1], [1, 2], [2, 4]), sizes(100, 10, 1000))).toBe(1010);
  expect(mostLiveBytes(lifetimes([0, 0], [1, 1]), sizes(8, 8))).toBe(8);
  expect(mostLiveBytes(lifetimes(), sizes())).toBe(0);
});

it("is what stepwise counting finds, and no plan takes less", () => {
  const span = fc.tuple(fc.nat(9), fc.nat(5), fc.integer({ min: 1, max: 50 }));
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 12 }), (values) => {
      const lives = lifetimes(...values.map(([a, n]): [number, number] => [a, a + n]));
      const bytes = sizes(...values.map(([, , size]) => size));
      const atStep = (step: number): number =>
        values.reduce((sum, [a, n, size]) => sum + (a <= step && step <= a + n ? size : 0), 0);
      const counted = Math.max(...Array.from({ length: 15 }, (_, step) => atStep(step)));
      const most = mostLiveBytes(lives, bytes);
      expect(most).toBe(counted);
      const planned = planMemory(lives, bytes).slotBytes.reduce((a, b) => a + b, 0);
      expect(planned).toBeGreaterThanOrEqual(most);
    }),
  );
});
