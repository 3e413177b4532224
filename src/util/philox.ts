/** Philox4x32-10 (Salmon et al., 2011): random bits by counter, word for word those of the shaders. */

/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];
/** What seeds a run's random numbers: low and high word of the seed, then of the step. */
export type RandomKey = Words;

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const; // golden ratio and √3 − 1
const ROUNDS = 10;
const LOW = 0xffff;

/** High word of the 64-bit product of two 32-bit words, by halves: in float64 it takes 4 times as long. */
export function mulHigh(a: number, b: number): number {
  const aLow = a & LOW;
  const aHigh = a >>> 16;
  const bLow = b & LOW;
  const bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 16;
  const left = Math.imul(aHigh, bLow) >>> 0;
  const right = Math.imul(aLow, bHigh) >>> 0;
  const middle = low + (left & LOW) + (right & LOW); // < 2^18
  return (Math.imul(aHigh, bHigh) + (left >>> 16) + (right >>> 16) + (middle >>> 16)) >>> 0;
}

/** 128 random bits of a counter under a key. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(MULTIPLIERS[0], c0);
    const high1 = mulHigh(MULTIPLIERS[1], c2);
    const low0 = Math.imul(MULTIPLIERS[0], c0) >>> 0;
    const low1 = Math.imul(MULTIPLIERS[1], c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c1 = low1;
    c3 = low0;
    k0 = (k0 + WEYL[0]) >>> 0;
    k1 = (k1 + WEYL[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Words 4·index to 4·index + 3 of a stream, as `random_bits` in the shaders. */
export const randomBits = (key: RandomKey, stream: number, index: number): Words =>
  philox([index >>> 0, stream >>> 0, key[2], key[3]], [key[0], key[1]]);

/** 0 … limit − 1 from 32 random bits, as `random_below` in the shaders. */
export const randomBelow = (bits: number, limit: number): number => mulHigh(bits, limit);

/** The key of a seed and a step, both whole numbers below 2^53. */
export const randomKey = (seed: number, step: number): RandomKey => [
  seed % 2 ** 32,
  Math.floor(seed / 2 ** 32),
  step % 2 ** 32,
  Math.floor(step / 2 ** 32),
];
