/** The roofline: peaks by hand, and the two ways of saying what part of it a row reaches. */
import { expect, test } from "vitest";
import fc from "fast-check";
import { attainable, boundOf, fractionOfRoof, intensity } from "../../bench/roofline.ts";

const ROOF = { fma: 40, copy: 4 }; // GFLOP/s, GB/s: they meet at 10 operations per byte

test("below the ridge bytes bound, above it operations", () => {
  expect([1, 10, 100].map((perByte) => attainable(perByte, ROOF))).toEqual([4, 40, 40]);
  expect(boundOf({ flops: 9, bytes: 1 }, ROOF)).toBe("memory");
  expect(boundOf({ flops: 11, bytes: 1 }, ROOF)).toBe("compute");
  expect(boundOf({ flops: 0, bytes: 8 }, ROOF)).toBe("memory");
  expect(boundOf({ flops: 0, bytes: 0 }, ROOF)).toBeNull();
});

test("a copy at the copy peak is at 1, a product at half the FMA peak at ½", () => {
  expect(fractionOfRoof({ flops: 0, bytes: 4e9 }, 1000, ROOF)).toBeCloseTo(1, 12);
  expect(fractionOfRoof({ flops: 40e9, bytes: 1 }, 2000, ROOF)).toBeCloseTo(0.5, 12);
  expect(fractionOfRoof({ flops: 0, bytes: 0 }, 1, ROOF)).toBe(0);
});

test("the part of the roof is the rate over what the intensity allows", () => {
  const amount = fc.double({ min: 1, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(
      amount,
      amount,
      fc.double({ min: 0.01, max: 1e5, noNaN: true }),
      (flops, bytes, ms) => {
        const rate = flops / (ms * 1e6); // GFLOP/s
        const allowed = attainable(intensity({ flops, bytes }), ROOF);
        expect(fractionOfRoof({ flops, bytes }, ms, ROOF) / (rate / allowed)).toBeCloseTo(1, 9);
      },
    ),
  );
});

test("intensity needs both counts", () => {
  expect(intensity({ flops: 6, bytes: 3 })).toBe(2);
  expect(intensity({ flops: 6, bytes: 0 })).toBe(Infinity);
  expect(intensity({ flops: 0, bytes: 0 })).toBe(0);
});
