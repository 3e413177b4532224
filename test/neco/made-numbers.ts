/** Numbers that test/golden/made_features.py makes too, bit by bit: integers, and float64 one operation at a time. */

/** A 32-bit bijection (lowbias32). */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** The number at an index of a stream. */
export type Draw = (index: number) => number;

/** Sums of four 16-bit uniforms, centred: multiples of 2⁻¹⁶ in (−2, 2), deviation 0.577. */
export function bell(seed: number, stream: number): Draw {
  const key = mix(1000 * seed + stream);
  return (index) => {
    const a = mix(mix(2 * index) + key);
    const b = mix(mix(2 * index + 1) + key);
    const total = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
    return (total - 131070) / 65536;
  };
}

/** Of the bits of arrays, one after the other. */
export function checksum(arrays: readonly Float32Array[]): number {
  let index = 0;
  let total = 0;
  for (const { buffer, byteOffset, length } of arrays)
    for (const bits of new Uint32Array(buffer, byteOffset, length))
      total = (total + mix((bits ^ mix(index++)) >>> 0)) >>> 0;
  return total;
}

/** 1/2 per step of `scales` columns. */
export const columnScale = ({ scales }: { readonly scales?: number }, column: number): number =>
  scales === undefined ? 1 : 1 / 2 ** Math.floor(column / scales);
