/** Oracles of clipping, accumulation and averages over arenas. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, ErrorSample, OpCases } from "./case.ts";

type Attributes = Readonly<Record<string, unknown>>;

const numberOf = (attrs: Attributes, name: string): number => {
  const value = attrs[name];
  return typeof value === "number" ? value : NaN;
};

/** Oracle of squaredNorm. */
export const squaredNormCases: OpCases = {
  reference: ([x]) => [array64([1], [x ? x.data.reduce((a, b) => a + b * b, 0) : 0])],
  samples: [
    { inputs: [{ shape: [1] }] },
    { inputs: [{ shape: [64] }] },
    { inputs: [{ shape: [7, 11] }] },
    { inputs: [{ shape: [4096] }] },
    { inputs: [{ shape: [5001], range: [-30, 30] }] },
    { inputs: [{ shape: [140_000] }], gradient: false },
  ],
  extremes: [{ inputs: [{ shape: [4], values: [1e18, -1e18, 1e-18, 0] }] }],
  tolerance: { rel: 2e-6, abs: 1e-30, why: "all terms positive; lanes add at most 16, then trees" },
  bench: [{ inputs: [{ shape: [1 << 20] }] }],
};

/** Oracle of clipScale. */
export const clipScaleCases: OpCases = {
  reference: ([squared], attrs) => [
    array64(
      [1],
      [Math.min(1, numberOf(attrs, "maxNorm") / (Math.sqrt(at(squared?.data ?? [], 0)) + 1e-6))],
    ),
  ],
  samples: [
    { inputs: [{ shape: [1], values: [0] }] },
    { inputs: [{ shape: [1], values: [0.25] }] },
    { inputs: [{ shape: [1], values: [1e8] }] },
    { inputs: [{ shape: [1], values: [9] }], attrs: { maxNorm: 2 } },
  ],
  errors: [
    {
      inputs: [{ shape: [2] }],
      throws: /clipScale: squaredNorm must hold 1 value; got squaredNorm \[2\]/,
    },
  ],
  tolerance: { rel: 1e-6, abs: 1e-30, why: "a root and a quotient at 2.5 ULP each" },
};

/** keep · a + scale · b, and Σ|terms| of it. */
const blend = (
  [a, b]: readonly (Array64 | null)[],
  keep: number,
  scale: number,
  size: (value: number) => number = (value) => value,
): Array64[] => {
  if (!a || !b) return [];
  const values = a.data.map((value, index) => size(keep * value) + size(scale * at(b.data, index)));
  return [array64(a.shape, values)];
};

const mismatch = (op: string, first: string, second: string): ErrorSample => ({
  inputs: [{ shape: [4] }, { shape: [2, 2] }],
  throws: new RegExp(
    `${op}: ${second} must have the shape of ${first}; got ${first} \\[4\\], ${second} \\[2, 2\\]`,
  ),
});

const pairs = (attrs: Attributes) =>
  [[1], [256], [7, 9]].map((shape) => ({ inputs: [{ shape }, { shape }], attrs }));

/** Oracle of addInPlace. */
export const addInPlaceCases: OpCases = {
  reference: (inputs, attrs) => blend(inputs, 1, numberOf(attrs, "scale")),
  scale: (inputs, attrs) => blend(inputs, 1, numberOf(attrs, "scale"), Math.abs),
  samples: [...pairs({}), ...pairs({ scale: 0.25 })],
  errors: [mismatch("addInPlace", "total", "x")],
  tolerance: { rel: 2e-7, abs: 1e-30, why: "a product and a sum" },
  bench: [{ inputs: [{ shape: [1 << 20] }, { shape: [1 << 20] }] }],
};

/** Oracle of ema. */
export const emaCases: OpCases = {
  reference(inputs, attrs) {
    const decay = numberOf(attrs, "decay");
    return blend(inputs, decay, 1 - decay);
  },
  scale(inputs, attrs) {
    const decay = numberOf(attrs, "decay");
    return blend(inputs, decay, 1 - decay, Math.abs);
  },
  samples: [...pairs({}), ...pairs({ decay: 0.9 })],
  errors: [mismatch("ema", "average", "param")],
  tolerance: { rel: 3e-7, abs: 1e-30, why: "two products and a sum of rounded factors" },
  bench: [{ inputs: [{ shape: [1 << 20] }, { shape: [1 << 20] }] }],
};

/** Oracle of fill. */
export const fillCases: OpCases = {
  reference: ([x], attrs) => {
    const values = x?.data.map(() => numberOf(attrs, "value"));
    return [array64(x?.shape ?? [], values)];
  },
  samples: [
    { inputs: [{ shape: [256] }] },
    { inputs: [{ shape: [3] }], attrs: { value: 0.5 } },
    { inputs: [{ shape: [2, 33] }], attrs: { value: -2 } },
  ],
  tolerance: { rel: 0, abs: 0, why: "one value, stored" },
};
