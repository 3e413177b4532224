/** Integer random numbers for data that is made up: the same on every machine, in any order. */

/** A 32-bit word for a seed and a counter (the finaliser of MurmurHash3 over a Weyl step). */
export function randomWord(seed: number, counter: number): number {
  let word = (Math.imul(seed, 0x9e3779b1) + Math.imul(counter, 0x85ebca6b) + 0x165667b1) | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** A whole number in 0…limit−1. */
export const randomBelow = (seed: number, counter: number, limit: number): number =>
  Math.floor((randomWord(seed, counter) / 2 ** 32) * limit);
