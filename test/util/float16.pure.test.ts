/** Half floats: every bit pattern, and rounding. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
} from "../../src/util/float16.ts";

test("each of the 65,536 half floats survives the way to f32 and back", () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
  const back = encodeFloat16(decodeFloat16(halves));
  const isNaN16 = (bits: number) => (bits & 0x7fff) > 0x7c00;
  expect([...back].filter((bits, i) => bits !== halves[i] && !isNaN16(i))).toEqual([]);
  expect([...back].filter((bits, i) => isNaN16(i) && !isNaN16(bits))).toEqual([]);
});

test.each([
  [1, 0x3c00],
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [2 ** -24, 1],
  [2 ** -25, 0], // halfway to the smallest: ties to even
  [1.5 * 2 ** -24, 2],
  [1 + 2 ** -11, 0x3c00], // halfway: ties to even
  [1 + 3 * 2 ** -11, 0x3c02],
  [-0, 0x8000],
  [2047.5 * 2 ** -25, 0x400], // the largest subnormal rounds up to a normal
])("%f is half float %i", (value, bits) => {
  expect(encodeFloat16(Float32Array.of(value))[0]).toBe(bits);
});

test("bfloat16 keeps f32's range and errs by at most 2⁻⁸ relative", () => {
  fc.assert(
    fc.property(
      fc.float({
        noNaN: true,
        noDefaultInfinity: true,
        max: Math.fround(3e38),
        min: Math.fround(-3e38),
      }),
      (value) => {
        const [back = 0] = decodeBfloat16(encodeBfloat16(Float32Array.of(value)));
        expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8 + 1e-40);
      },
    ),
  );
  expect([...decodeBfloat16(encodeBfloat16(Float32Array.of(NaN, 1)))]).toEqual([NaN, 1]);
});
