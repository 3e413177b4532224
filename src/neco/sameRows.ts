/** Whether sets that should differ hold the same features: a file given twice makes figures that mean nothing. */
import type { FeatureSource } from "../io/index.ts";
import { at } from "../util/shape.ts";

const BLOCK = 4096; // rows read at a time

/** A sum of 64-bit hashes of all rows, as two 32-bit halves: the same whatever the rows' order. */
type Print = readonly [number, number];

/** Mixes a word into a hash (Murmur3's round). */
function mix(hash: number, word: number): number {
  const spread = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}

/** Adds the rows of a block to a print. */
function addRows([first, second]: Print, features: Float32Array, dim: number): Print {
  const words = new Int32Array(features.buffer, features.byteOffset, features.length);
  let [low, high] = [first, second];
  for (let start = 0; start < words.length; start += dim) {
    let [a, b] = [1, 2];
    for (let index = start; index < start + dim; index++) {
      const word = at(words, index);
      a = mix(a, word);
      b = mix(b, word);
    }
    low = (low + mix(a, b)) | 0;
    high = (high + mix(b, a)) | 0;
  }
  return [low, high];
}

async function printOf(source: FeatureSource): Promise<Print> {
  let print: Print = [0, 0];
  for (let start = 0; start < source.rows; start += BLOCK) {
    const count = Math.min(BLOCK, source.rows - start);
    print = addRows(print, await source.features(start, count), source.dim);
  }
  return print;
}

const prints = new WeakMap<FeatureSource, Promise<Print>>();

/** Whether two sources hold equal features, in whatever order; each is read once at most. */
export async function sameRows(a: FeatureSource, b: FeatureSource): Promise<boolean> {
  if (a === b) return true;
  if (a.rows !== b.rows || a.dim !== b.dim) return false;
  const [one, other] = await Promise.all(
    [a, b].map((source) => {
      const print = prints.get(source) ?? printOf(source);
      prints.set(source, print);
      return print;
    }),
  );
  return one?.[0] === other?.[0] && one?.[1] === other?.[1];
}

/** A warning for each pair of sets that hold the same features. */
export async function sameSetWarnings(sets: readonly FeatureSource[]): Promise<string[]> {
  const warnings: string[] = [];
  for (let later = 1; later < sets.length; later++)
    for (let earlier = 0; earlier < later; earlier++)
      if (await sameRows(at(sets, earlier), at(sets, later))) {
        const { name, dim } = at(sets, later);
        warnings.push(
          `${name} holds the same ${dim}-dimensional rows as ${at(sets, earlier).name}: was one file given twice?`,
        );
      }
  return warnings;
}
