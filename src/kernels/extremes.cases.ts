/** Oracles of max, min and argmax. Never imported by the library. */
import { at, sizeOf } from "../util/shape.ts";
import type { OpCases, Sample } from "./case.ts";
import { axesOf, droppedTo, reduceSamples } from "./reduce.cases.ts";
import { build, fold64, given, pick } from "./reference64.ts";

/** Elements that tie: PyTorch's amax gives each its share, finite differences cannot tell. */
const tied: Sample = {
  inputs: [{ shape: [2, 3], values: [1, 5, 5, -2, -2, -2] }],
  attrs: { axes: [1] },
  gradient: false,
};

/** Among thousands of elements two come so close that finite differences cross the tie. */
const samples = reduceSamples.map((sample) => ({
  ...sample,
  gradient: sample.inputs.every((spec) => spec && sizeOf(spec.shape) <= 301),
}));

const extremeCases = (name: "max" | "min", start: number): OpCases => ({
  reference(inputs, attrs) {
    const x = given(inputs, 0);
    return [
      droppedTo(
        x,
        fold64(x, axesOf(x, attrs), start, (a, b) => Math[name](a, b)),
        attrs,
      ),
    ];
  },
  samples: [...samples, tied],
  extremes: [{ inputs: [{ shape: [2, 2], values: [1e30, -1e30, -3e38, -2e38] }] }],
  errors: [
    {
      inputs: [{ shape: [0] }],
      throws: new RegExp(`${name}: there is no ${name} of no elements; got x \\[0\\]`),
    },
  ],
  tolerance: { rel: 0, abs: 0, why: "one of the elements" },
  bench: [{ inputs: [{ shape: [3200, 192] }], attrs: { axes: [1] } }],
});

/** Oracle of max. */
export const maxCases = extremeCases("max", -Infinity);
/** Oracle of min. */
export const minCases = extremeCases("min", Infinity);

/** Oracle of argmax. */
export const argmaxCases: OpCases = {
  reference(inputs, attrs) {
    const x = given(inputs, 0);
    const axis = (Number(attrs["axis"]) + x.shape.length) % x.shape.length;
    return [
      build(x.shape.toSpliced(axis, 1), (place) => {
        const line = Array.from({ length: at(x.shape, axis) }, (_, row) =>
          pick(x, place.toSpliced(axis, 0, row)),
        );
        return line.indexOf(Math.max(...line));
      }),
    ];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }] },
    { inputs: [{ shape: [1] }] },
    { inputs: [{ shape: [70, 10] }] },
    { inputs: [{ shape: [3, 9, 5] }], attrs: { axis: 1 } },
    { inputs: [{ shape: [2, 5], values: [1, 7, 7, 0, 7, -3, -3, -4, -3, -5] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 0] }],
      throws: /argmax: there is no maximum of no elements; got x \[2, 0\]/,
    },
    { inputs: [{ shape: [] }], throws: /argmax: axis -1 does not exist; got x \[\]/ },
  ],
  tolerance: { rel: 0, abs: 0, why: "a whole number" },
  bench: [{ inputs: [{ shape: [3200, 192] }] }],
};
