/** Oracles of sum, mean and sumTo. Never imported by the library. */
import { at, sizeOf } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, ErrorSample, OpCases, Sample } from "./case.ts";
import { fold64, given } from "./reference64.ts";

/** The attributes of a reduction as cases carry them. */
type Loose = Readonly<Record<string, unknown>>;

/** The axes that a sample asks for, from the front. */
export function axesOf(x: Array64, { axes }: Loose): number[] {
  const asked = Array.isArray(axes) ? axes.map(Number) : x.shape.map((_size, axis) => axis);
  return asked.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
}

/** A folded array under the shape that keepDims asks for. */
export function droppedTo(x: Array64, folded: Array64, attrs: Loose): Array64 {
  const axes = axesOf(x, attrs);
  return attrs["keepDims"] === true
    ? folded
    : array64(
        folded.shape.filter((_size, axis) => !axes.includes(axis)),
        folded.data,
      );
}

const plus = (total: number, value: number): number => total + value;
const plusMagnitude = (total: number, value: number): number => total + Math.abs(value);

function sum64(x: Array64, attrs: Loose, f: typeof plus, isMean: boolean): Array64 {
  const axes = axesOf(x, attrs);
  const folded = fold64(x, axes, 0, f);
  const count = isMean ? axes.reduce((product, axis) => product * at(x.shape, axis), 1) : 1;
  return droppedTo(
    x,
    array64(
      folded.shape,
      folded.data.map((value) => value / count),
    ),
    attrs,
  );
}

/** Which axes, how many elements: rows, columns, both sides, none, more than one pass. */
export const reduceSamples: Sample[] = [
  { inputs: [{ shape: [4, 64] }] },
  { inputs: [{ shape: [4, 7] }] },
  { inputs: [{ shape: [] }] },
  { inputs: [{ shape: [1, 1] }], attrs: { keepDims: true } },
  { inputs: [{ shape: [3, 65] }], attrs: { axes: [-1] } },
  { inputs: [{ shape: [3, 64] }], attrs: { axes: [1], keepDims: true } },
  { inputs: [{ shape: [33, 6] }], attrs: { axes: [0] } },
  { inputs: [{ shape: [2, 9, 8] }], attrs: { axes: [1] } },
  { inputs: [{ shape: [3, 4, 5] }], attrs: { axes: [0, 2] } },
  { inputs: [{ shape: [2, 3, 2, 3] }], attrs: { axes: [1, 3], keepDims: true } },
  { inputs: [{ shape: [5, 1, 3] }], attrs: { axes: [1] } },
  { inputs: [{ shape: [4099] }] },
  { inputs: [{ shape: [2, 4096] }], attrs: { axes: [1] } },
  { inputs: [{ shape: [301, 12] }], attrs: { axes: [0] } },
  { inputs: [{ shape: [3, 70, 68] }], attrs: { axes: [1] } }, // two workgroups side by side
  { inputs: [{ shape: [1100, 2] }], attrs: { axes: [0] } }, // two parts, where columns are shared
];

const tolerance = {
  rel: 3e-6,
  abs: 0,
  why: "of Σ|terms|: at most 32 in a row per lane, then a tree or 16 of a lane; 2⁻²⁴ each",
};

const errors = (name: string): ErrorSample[] => [
  {
    inputs: [{ shape: [2, 3] }],
    attrs: { axes: [2] },
    throws: new RegExp(`${name}: axis 2 does not exist; got x \\[2, 3\\]`),
  },
  {
    inputs: [{ shape: [2, 3] }],
    attrs: { axes: [1, -1] },
    throws: new RegExp(`${name}: axes \\[1, -1\\] name one axis twice; got x \\[2, 3\\]`),
  },
];

/** Oracle of sum. */
export const sumCases: OpCases = {
  reference: (inputs, attrs) => [sum64(given(inputs, 0), attrs, plus, false)],
  scale: (inputs, attrs) => [sum64(given(inputs, 0), attrs, plusMagnitude, false)],
  samples: reduceSamples,
  extremes: [{ inputs: [{ shape: [0, 3] }], attrs: { axes: [0] } }],
  errors: errors("sum"),
  tolerance,
  bench: [
    { inputs: [{ shape: [64 * 50 * 192] }] },
    { inputs: [{ shape: [3200, 192] }], attrs: { axes: [1] } },
    { inputs: [{ shape: [3200, 192] }], attrs: { axes: [0] } },
  ],
};

/** Oracle of mean. */
export const meanCases: OpCases = {
  reference: (inputs, attrs) => [sum64(given(inputs, 0), attrs, plus, true)],
  scale: (inputs, attrs) => [sum64(given(inputs, 0), attrs, plusMagnitude, true)],
  samples: reduceSamples,
  errors: [
    ...errors("mean"),
    {
      inputs: [{ shape: [0, 3] }],
      throws: /mean: there is no mean of no elements; got x \[0, 3\]/,
    },
  ],
  tolerance,
  bench: [{ inputs: [{ shape: [64 * 50 * 192] }] }],
};

function sumTo64(x: Array64, attrs: Loose, f: typeof plus): Array64 {
  const shape = Array.isArray(attrs["shape"]) ? attrs["shape"].map(Number) : [];
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((_size, axis) =>
    axis < lead || at(shape, axis - lead) === 1 ? [axis] : [],
  );
  return array64(shape, fold64(x, axes, 0, f).data.subarray(0, sizeOf(shape)));
}

/** Oracle of sumTo. */
export const sumToCases: OpCases = {
  reference: (inputs, attrs) => [sumTo64(given(inputs, 0), attrs, plus)],
  scale: (inputs, attrs) => [sumTo64(given(inputs, 0), attrs, plusMagnitude)],
  samples: [
    { inputs: [{ shape: [4, 7] }], attrs: { shape: [7] } },
    { inputs: [{ shape: [4, 7] }], attrs: { shape: [4, 7] } },
    { inputs: [{ shape: [4, 7] }], attrs: { shape: [4, 1] } },
    { inputs: [{ shape: [4, 7] }], attrs: { shape: [] } },
    { inputs: [{ shape: [3, 5, 4] }], attrs: { shape: [1, 5, 4] } },
    { inputs: [{ shape: [2, 3, 2, 2] }], attrs: { shape: [3, 1, 1] } },
    { inputs: [{ shape: [1, 3] }], attrs: { shape: [3] } },
    { inputs: [{ shape: [600, 20] }], attrs: { shape: [20] } },
    { inputs: [{ shape: [4, 7], dtype: "f16" }], attrs: { shape: [7] } },
    { inputs: [{ shape: [4, 64], dtype: "f16" }], attrs: { shape: [4, 1] } },
    { inputs: [{ shape: [600, 20], dtype: "f16" }], attrs: { shape: [20] } },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 7] }],
      attrs: { shape: [4] },
      throws: /sumTo: x is no broadcast of the shape; got x \[4, 7\], shape \[4\]/,
    },
  ],
  tolerance,
  bench: [
    { inputs: [{ shape: [3200, 192] }], attrs: { shape: [192] } },
    { inputs: [{ shape: [64, 50, 64] }], attrs: { shape: [1, 50, 64] } },
  ],
};
