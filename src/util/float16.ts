/** Half floats and bfloat16 to f32 and back, by bits; rounding is to nearest, ties to even. */

const F16_EXPONENT_SHIFT = 112; // f32's exponent bias 127 less f16's 15
const F16_SUBNORMAL_UNIT = 2 ** -24;
const F16_OVERFLOW_BITS = 0x477ff000; // f32 bits of 65520, the first value that rounds to infinity
const F16_SMALLEST_NORMAL_BITS = 0x38800000; // f32 bits of 2⁻¹⁴
const F32_INFINITY_BITS = 0x7f800000;

/** Values of IEEE half floats given as bits. */
export function decodeFloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  halves.forEach((half, index) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) values[index] = (sign === 0 ? 1 : -1) * fraction * F16_SUBNORMAL_UNIT;
    else if (exponent === 31) bits[index] = sign | F32_INFINITY_BITS | (fraction << 13);
    else bits[index] = sign | ((exponent + F16_EXPONENT_SHIFT) << 23) | (fraction << 13);
  });
  return values;
}

/** Nearest IEEE half floats, as bits; beyond ±65504 becomes infinity. */
export function encodeFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word, index) => {
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude > F32_INFINITY_BITS) return sign | 0x7e00; // NaN
    if (magnitude >= F16_OVERFLOW_BITS) return sign | 0x7c00;
    if (magnitude < F16_SMALLEST_NORMAL_BITS)
      return sign | roundHalfEven(Math.abs(values[index] ?? 0) / F16_SUBNORMAL_UNIT);
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - (F16_EXPONENT_SHIFT << 23)) >>> 13);
  });
}

/** Values of bfloat16 given as bits: the upper halves of f32. */
export function decodeBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/** Nearest bfloat16, as bits. */
export function encodeBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word) =>
    (word & 0x7fffffff) > F32_INFINITY_BITS
      ? (word >>> 16) | 0x40
      : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
  );
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
