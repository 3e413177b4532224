/** The judges of the peers' decompositions: right answers of any sign and order pass, others show. */
import { describe, expect, test } from "vitest";
import { decompositionJudge } from "../../bench/peers/decompositions.ts";
import type { Decomposition } from "../../bench/peers/decompositions.ts";

describe("decompositions are judged by residuals, whatever signs and order", () => {
  const f32 = (...values: number[]): Float32Array => Float32Array.from(values);
  const judge = (
    what: Decomposition["what"],
    outputs: Record<string, Float32Array>,
    a = [2, 0, 0, 1],
  ): number => {
    const inputs = { a: { shape: [a.length / 2, 2], values: a } };
    const sides = { b: { shape: [a.length / 2, 1], values: a.filter((_, k) => k % 2 === 0) } };
    const given = what === "lstsq" ? { ...inputs, ...sides } : inputs;
    return decompositionJudge({ kind: "decompose", what, size: 2 }, given)(outputs);
  };

  test("singular values", () => {
    const swap = f32(0, 1, -1, 0);
    expect(judge("svd", { u: swap, values: f32(1, 2), v: swap })).toBe(0);
    expect(judge("svd", { u: swap, values: f32(2, 1), v: swap })).toBeGreaterThan(0.5);
    const long = f32(1, 0, 0, 2);
    expect(judge("svd", { u: f32(1, 0, 0, 0.5), values: f32(2, 1), v: long })).toBe(3);
    expect(() => judge("svd", { u: swap, values: f32(1, 2) })).toThrow(/0 values/);
  });

  test("triangular factors", () => {
    expect(judge("cholesky", { l: f32(Math.SQRT2, 0, 0, 1) })).toBeLessThan(1e-7);
    expect(judge("cholesky", { l: f32(Math.SQRT2, 0, 0, -1) })).toBeLessThan(1e-7);
    expect(judge("cholesky", { l: f32(1, 1, 1, 0) }, [2, 1, 1, 1])).toBe(1); // A = L Lᵀ, no triangle
    expect(judge("qr", { q: f32(1, 0, 0, 1), r: f32(2, 0, 0, 1) })).toBe(0);
    expect(judge("qr", { q: f32(0, 1, 1, 0), r: f32(0, 1, 2, 0) })).toBe(1); // R upside down
    expect(judge("qr", { q: f32(2, 0, 0, 1), r: f32(1, 0, 0, 1) })).toBe(3);
  });

  test("solutions, inverses, components", () => {
    const tall = [1, 1, 2, 0, 3, 1];
    expect(judge("lstsq", { x: f32(1, 0) }, tall)).toBeLessThan(1e-12); // b is the first column
    expect(judge("lstsq", { x: f32(1, 1e-3) }, tall)).toBeCloseTo(1e-3);
    expect(judge("pinvh", { x: f32(0.5, 0, 0, 1) })).toBe(0);
    expect(judge("pinvh", { x: f32(0.5, 0, 0, 0) })).toBeGreaterThan(0.4); // a rank too low
    // (1, 5) and (3, 5) vary along the first axis, by 2.
    const points = [1, 5, 3, 5];
    expect(judge("pca", { v: f32(0, 1, 1, 0), values: f32(0, 2) }, points)).toBe(0);
    expect(judge("pca", { v: f32(0, 1, 1, 0), values: f32(2, 0) }, points)).toBeGreaterThan(1);
  });
});
