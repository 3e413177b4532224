/** Oracle of affine. Never imported by the library. */
import { array64 } from "./case.ts";
import type { Array64, OpCases } from "./case.ts";
import { given } from "./reference64.ts";

const map = (x: Array64, f: (value: number) => number): Array64 => array64(x.shape, x.data.map(f));

/** Oracle of affine. */
export const affineCases: OpCases = {
  reference: (inputs, { scale, shift }) => [
    map(given(inputs, 0), (value) => value * Number(scale) + Number(shift)),
  ],
  scale: (inputs, { scale, shift }) => [
    map(given(inputs, 0), (value) => Math.abs(value * Number(scale)) + Math.abs(Number(shift))),
  ],
  samples: [
    { inputs: [{ shape: [4, 7] }], attrs: { scale: -1, shift: 0 } },
    { inputs: [{ shape: [] }], attrs: { scale: 3, shift: 0.5 } },
    { inputs: [{ shape: [3, 300] }], attrs: { scale: 0.25, shift: -2 } },
  ],
  errors: [
    {
      inputs: [{ shape: [2], dtype: "i32" }],
      throws: /affine: x must be f32, not i32; use cast; got x \[2\]/,
    },
  ],
  tolerance: { rel: 2 ** -22, abs: 0, why: "a product and a sum; the factors are f32 here too" },
  bench: [{ inputs: [{ shape: [64, 50, 192] }], attrs: { scale: 2, shift: 1 } }],
};
