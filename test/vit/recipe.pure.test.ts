/** The learning rate's course: known at its ends. */
import { describe, expect, test } from "vitest";
import { learningRateFactor, REFERENCE_RECIPE } from "../../src/vit/recipe.ts";

const recipe = { ...REFERENCE_RECIPE, steps: 1000, warmupSteps: 200 };

describe.each(["cosine", "linear"] as const)("%s decay", (decay) => {
  const factor = (step: number): number => learningRateFactor({ ...recipe, decay }, step);
  test("is 1 at the end of the warm-up and 0 at the end", () => {
    expect(factor(200)).toBe(1);
    expect(factor(1000)).toBeCloseTo(0, 15);
  });
  test("rises in a line before, passes a half midway, and never rises after", () => {
    expect([factor(0), factor(50), factor(199)]).toEqual([0, 0.25, 0.995]);
    expect(factor(600)).toBeCloseTo(0.5, 15);
    for (let step = 201; step <= 1000; step++)
      expect(factor(step)).toBeLessThanOrEqual(factor(step - 1));
  });
});

test("constant decay stays at 1; without a warm-up the first step is full", () => {
  expect(learningRateFactor({ ...recipe, decay: "constant" }, 999)).toBe(1);
  expect(learningRateFactor({ ...recipe, warmupSteps: 0, decay: "cosine" }, 0)).toBe(1);
});
