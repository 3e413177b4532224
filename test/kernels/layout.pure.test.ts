/** Strided views and reduction steps, walked on the host against plain loops. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { array64 } from "../../src/kernels/case.ts";
import type { Array64 } from "../../src/kernels/case.ts";
import { broadcastStrides, inVectors, mergeAxes, operandLayout } from "../../src/kernels/layout.ts";
import { reduceSteps } from "../../src/kernels/reduce-plan.ts";
import { build, coordinates, fold64, pick } from "../../src/kernels/reference64.ts";
import { at, sizeOf } from "../../src/util/shape.ts";

const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 5 });
/** A shape, and the same with some axes of size 1 and some leading ones dropped. */
const broadcasts = shapes.chain((target) =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: target.length, maxLength: target.length }),
      fc.integer({ min: 0, max: target.length }),
    )
    .map(([ones, drop]) => ({
      target,
      shape: target.map((size, axis) => (ones[axis] ? 1 : size)).slice(drop),
    })),
);

const counting = (shape: readonly number[]): Array64 =>
  array64(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, index) => index),
  );

describe("strided views", () => {
  it("walk a broadcast operand as plain loops do", () => {
    fc.assert(
      fc.property(broadcasts, ({ target, shape }) => {
        const x = counting(shape);
        const expected = build(target, (place) => pick(x, place)).data;
        const view = mergeAxes("test", {
          sizes: target,
          strides: [broadcastStrides(shape, target)],
        });
        const { width, sizes, strides, splats } = inVectors(view);
        const got: number[] = [];
        for (let index = 0; index < sizeOf(sizes); index++) {
          const steps = coordinates(index, sizes).map((p, axis) => p * at(at(strides, 0), axis));
          const source = steps.reduce((a, b) => a + b, 0);
          for (let k = 0; k < width; k++) got.push(splats[0] ? source : source * width + k);
        }
        expect(got).toEqual([...expected]);
      }),
    );
  });

  it("name an operand's layout", () => {
    expect(operandLayout([5, 12], [5, 12])).toBe("full");
    expect(operandLayout([12], [5, 12])).toBe("repeat");
    expect(operandLayout([1, 4, 5], [3, 4, 5])).toBe("repeat");
    expect(operandLayout([1, 1], [3, 4])).toBe("scalar");
    expect(operandLayout([3, 1], [3, 4])).toBe("strided");
  });
});

describe("reduceSteps", () => {
  it("sum what plain loops sum, whatever the axes", () => {
    const reductions = shapes.chain((shape) =>
      fc.record({ shape: fc.constant(shape), axes: fc.subarray(shape.map((_, axis) => axis)) }),
    );
    fc.assert(
      fc.property(reductions, ({ shape, axes }) => {
        const x = counting(shape);
        let { data } = x;
        for (const { outer, reduce, inner, parts } of reduceSteps(shape, axes)) {
          const length = Math.ceil(reduce / parts);
          const next = new Float64Array(outer * parts * inner);
          data.forEach((value, index) => {
            const row = Math.floor(index / inner) % reduce;
            const block = Math.floor(index / (inner * reduce));
            const target = (block * parts + Math.floor(row / length)) * inner + (index % inner);
            next[target] = at(next, target) + value;
          });
          data = next;
        }
        const expected = fold64(x, axes, 0, (total, value) => total + value).data;
        expect([...data]).toEqual([...expected]);
      }),
    );
  });

  it("split long columns and rows into a second pass", () => {
    const [first, second] = reduceSteps([3200, 192], [0]);
    expect(first).toMatchObject({ outer: 1, reduce: 3200, inner: 192 });
    expect(first?.parts).toBeGreaterThan(16);
    expect(second).toEqual({ outer: 1, reduce: first?.parts, inner: 192, parts: 1 });
    expect(reduceSteps([614_400], [0])).toHaveLength(2);
    expect(reduceSteps([3200, 192], [1])).toHaveLength(1);
  });
});
