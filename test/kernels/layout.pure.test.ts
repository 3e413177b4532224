/** Strided views and reduction steps, walked on the host against plain loops. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { array64 } from "../../src/kernels/case.ts";
import type { Array64 } from "../../src/kernels/case.ts";
import { broadcastStrides, inVectors, mergeAxes, operandLayout } from "../../src/kernels/layout.ts";
import { reduceSteps } from "../../src/kernels/reduce-plan.ts";
import { build, coordinates, fold64, pick } from "../../src/kernels/reference64.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import { sum } from "../../src/kernels/reduce.ts";
import { at, meta, sizeOf } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";

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
      fc.record({
        shape: fc.constant(shape),
        axes: fc.subarray(shape.map((_, axis) => axis)),
        sharesColumns: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(reductions, ({ shape, axes, sharesColumns }) => {
        const x = counting(shape);
        let { data } = x;
        for (const { outer, reduce, inner, parts } of reduceSteps(shape, axes, sharesColumns)) {
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

  it("split shared columns into parts that fill a GPU and leave little to add", () => {
    const partsOf = (shape: readonly number[]) =>
      reduceSteps(shape, [0], true).map(({ parts }) => parts);
    expect(partsOf([3200, 192])).toEqual([50, 1]); // 150 workgroups, then 3
    expect(partsOf([3200, 64])).toEqual([50, 1]);
    expect(partsOf([127, 64])).toEqual([1]);
    expect(partsOf([50_000, 768])).toEqual([88, 1]);
    expect(partsOf([1_000_000, 64])).toEqual([256, 1]);
    expect(partsOf([512, 65_536])).toEqual([2, 1]);
    expect(partsOf([512, 262_144])).toEqual([1]); // a lane each fills it
  });

  it("are shared by workgroups on GPUs, where there are columns", () => {
    const gpu = { ...goldenCaps, adapterClass: "gpu" } as const;
    const picks = ([0, 1] as const).flatMap((axis) =>
      [goldenCaps, gpu].map((caps) =>
        pickVariant(sum, [meta([3200, 192])], { ...sum.defaults, axes: [axis] }, caps),
      ),
    );
    expect(picks).toEqual(["rowPerSubgroup", "sharedColumns", "rowPerSubgroup", "rowPerSubgroup"]);
  });
});
