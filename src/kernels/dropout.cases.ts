/** Oracles of dropout and dropPath, on the host twin of the random bits. Never imported by the library. */
import { randomBits } from "../util/philox.ts";
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, ErrorSample, OpCases, Sample } from "./case.ts";

type Attributes = Readonly<Record<string, unknown>>;

const numberOf = (attrs: Attributes, name: string): number => {
  const value = attrs[name];
  return typeof value === "number" ? value : NaN;
};

/** x times the factor of the random word that `wordOf` gives to each element. */
function dropped(
  [x, key]: readonly (Array64 | null)[],
  attrs: Attributes,
  wordOf: (index: number, x: Array64) => number,
): Array64[] {
  if (!x || !key) return [];
  const [seedLow = 0, seedHigh = 0, stepLow = 0, stepHigh = 0] = key.data;
  const words = [seedLow, seedHigh, stepLow, stepHigh] as const;
  const rate = numberOf(attrs, "rate");
  const values = x.data.map((value, index) => {
    const word = wordOf(index, x);
    const bits = randomBits(words, numberOf(attrs, "stream"), Math.floor(word / 4));
    return at(bits, word % 4) >= Math.round(rate * 2 ** 32) ? value / (1 - rate) : 0;
  });
  return [array64(x.shape, values)];
}

const KEY = { shape: [4], dtype: "u32", values: [0xdeadbeef, 1, 4_000_000_000, 2] } as const;

const samples: Sample[] = [
  { inputs: [{ shape: [7, 9] }, KEY], attrs: { rate: 0.5, stream: 3 } },
  { inputs: [{ shape: [1] }, KEY], attrs: { rate: 0.3, stream: 0 } },
  { inputs: [{ shape: [5, 4, 16] }, KEY], attrs: { rate: 0.1, stream: 1 } },
  { inputs: [{ shape: [70] }, KEY], attrs: { rate: 0, stream: 1 } },
  { inputs: [{ shape: [260] }, KEY], attrs: { rate: 0.999, stream: 4_000_000_000 } },
];

const errors = (op: string): ErrorSample[] => [
  {
    inputs: [{ shape: [4] }, KEY],
    attrs: { rate: 1 },
    throws: new RegExp(`${op}: rate must be in \\[0, 1\\), not 1`),
  },
  {
    inputs: [{ shape: [4] }, { shape: [4] }],
    throws: new RegExp(`${op}: key must be 4 u32: seed and step, low words first; got key \\[4\\]`),
  },
];

const half = { dtype: "f16" } as const;

/** Oracle of dropout. */
export const dropoutCases: OpCases = {
  reference: (inputs, attrs) => dropped(inputs, attrs, (index) => index),
  samples: [
    ...samples,
    { inputs: [{ shape: [7, 9], ...half }, KEY], attrs: { rate: 0.5, stream: 3 } },
    { inputs: [{ shape: [5, 4, 16], ...half }, KEY], attrs: { rate: 0.1, stream: 1 } },
  ],
  errors: errors("dropout"),
  tolerance: { rel: 2e-7, abs: 1e-30, why: "one product with a rounded factor" },
  bench: [{ inputs: [{ shape: [3200, 256] }, KEY], attrs: { rate: 0.1, stream: 1 } }],
};

/** Oracle of dropPath. */
export const dropPathCases: OpCases = {
  reference: (inputs, attrs) =>
    dropped(inputs, attrs, (index, x) => Math.floor((index * at(x.shape, 0)) / x.data.length)),
  samples,
  errors: [
    ...errors("dropPath"),
    { inputs: [{ shape: [] }, KEY], throws: /dropPath: x needs at least 1 axis; got x \[\]/ },
  ],
  tolerance: { rel: 2e-7, abs: 1e-30, why: "one product with a rounded factor" },
  bench: [{ inputs: [{ shape: [64, 50, 64] }, KEY], attrs: { rate: 0.1, stream: 1 } }],
};
