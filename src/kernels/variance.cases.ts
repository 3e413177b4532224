/** Oracle of variance. Never imported by the library. */
import { at, sizeOf } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";
import { axesOf, droppedTo, reduceSamples } from "./reduce.cases.ts";
import { fold64, given, zip64 } from "./reference64.ts";

/** Oracle of variance. */
export const varianceCases: OpCases = {
  reference(inputs, attrs) {
    const x = given(inputs, 0);
    const axes = axesOf(x, attrs);
    const count = sizeOf(axes.map((axis) => at(x.shape, axis)));
    const total = fold64(x, axes, 0, (sum, value) => sum + value);
    const deviations = zip64(x, total, (value, sum) => (value - sum / count) ** 2);
    const squares = fold64(deviations, axes, 0, (sum, value) => sum + value);
    const scaled = squares.data.map((value) => value / (count - Number(attrs["correction"])));
    return [droppedTo(x, array64(squares.shape, scaled), attrs)];
  },
  samples: [
    ...reduceSamples.map((sample) => ({ ...sample, attrs: { ...sample.attrs, correction: 0 } })),
    { inputs: [{ shape: [6, 9] }], attrs: { axes: [0] } },
    { inputs: [{ shape: [3, 70] }], attrs: { axes: [1], keepDims: true } },
  ],
  extremes: [
    { inputs: [{ shape: [2, 65], range: [1000, 1001] }], attrs: { axes: [1] } },
    { inputs: [{ shape: [4], values: [7, 7, 7, 7] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [3, 1] }],
      attrs: { axes: [1] },
      throws: /variance: needs more than 1 elements; got x \[3, 1\]/,
    },
  ],
  tolerance: {
    rel: 2e-5,
    abs: 1e-9,
    why: "all terms are positive; a mean of 1000 is good to 6e-5, whose square is 4e-9 of 0.08",
  },
  bench: [{ inputs: [{ shape: [3200, 192] }], attrs: { axes: [0] } }],
};
