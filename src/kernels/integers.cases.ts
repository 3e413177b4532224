/** Oracles of cast and oneHot. Never imported by the library. */
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";
import { build, given, pick } from "./reference64.ts";

const EXACT = { rel: 0, abs: 0, why: "whole numbers below 2²⁴" };

/** Ends of the integer types, to which floats are clamped. */
const ENDS = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/** Oracle of cast. */
export const castCases: OpCases = {
  reference(inputs, { dtype }) {
    const x = given(inputs, 0);
    if (dtype !== "i32" && dtype !== "u32") return [x]; // rounding to f16 is the table's allowance
    const [low, high] = ENDS[dtype];
    const whole = x.data.map((value) => Math.min(Math.max(Math.trunc(value), low), high));
    return [array64(x.shape, whole)];
  },
  samples: [
    { inputs: [{ shape: [3, 25], dtype: "i32", range: [-99, 99] }], gradient: false },
    { inputs: [{ shape: [7], dtype: "u32", range: [0, 99] }], gradient: false },
    { inputs: [{ shape: [2, 5], range: [-9, 9] }] },
    { inputs: [{ shape: [8], range: [-9, 9] }], attrs: { dtype: "i32" }, gradient: false },
    { inputs: [{ shape: [70], range: [-9, 9] }], attrs: { dtype: "i32" }, gradient: false },
    { inputs: [{ shape: [5], range: [0, 9] }], attrs: { dtype: "u32" }, gradient: false },
    {
      inputs: [{ shape: [3], dtype: "i32", values: [4, 0, 9] }],
      attrs: { dtype: "u32" },
      gradient: false,
    },
    { inputs: [{ shape: [67], range: [-9, 9] }], attrs: { dtype: "f16" } },
    { inputs: [{ shape: [3, 24], range: [-9, 9] }], attrs: { dtype: "f16" } },
    { inputs: [{ shape: [67], dtype: "f16", range: [-9, 9] }] },
    { inputs: [{ shape: [3, 24], dtype: "f16", range: [-9, 9] }] },
    { inputs: [{ shape: [9], dtype: "f16", range: [-9, 9] }], attrs: { dtype: "f16" } },
    {
      inputs: [{ shape: [9], dtype: "f16", range: [-9, 9] }],
      attrs: { dtype: "i32" },
      gradient: false,
    },
    {
      inputs: [{ shape: [9], dtype: "i32", range: [-2048, 2048] }],
      attrs: { dtype: "f16" },
      gradient: false,
    },
  ],
  extremes: [
    {
      inputs: [{ shape: [8], values: [65504, -65519, 65520, -65520, 1e30, 2 ** -24, 1e-9, -0] }],
      attrs: { dtype: "f16" },
    },
  ],
  tolerance: EXACT,
  bench: [
    { inputs: [{ shape: [64 * 50 * 192], dtype: "i32" }] },
    { inputs: [{ shape: [64 * 50 * 192] }], attrs: { dtype: "f16" } },
  ],
};

/** Oracle of oneHot. */
export const oneHotCases: OpCases = {
  reference(inputs, { classes }) {
    const labels = given(inputs, 0);
    return [
      build([...labels.shape, Number(classes)], (place) =>
        Number(pick(labels, place.slice(0, -1)) === place.at(-1)),
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [9], dtype: "i32", range: [0, 5] }], attrs: { classes: 5 } },
    { inputs: [{ shape: [2, 3], dtype: "i32", range: [0, 40] }], attrs: { classes: 33 } },
    { inputs: [{ shape: [7], dtype: "i32", range: [0, 12] }], attrs: { classes: 12 } },
    { inputs: [{ shape: [3], dtype: "i32", values: [-1, 0, 2] }], attrs: { classes: 2 } },
  ],
  errors: [
    {
      inputs: [{ shape: [3], dtype: "i32" }],
      throws: /oneHot: classes is 0, not a count; got labels \[3\]/,
    },
    {
      inputs: [{ shape: [3] }],
      attrs: { classes: 2 },
      throws: /oneHot: labels must be i32, not f32/,
    },
  ],
  tolerance: EXACT,
  bench: [{ inputs: [{ shape: [512], dtype: "i32" }], attrs: { classes: 1000 } }],
};
