/** Oracles of reshape, broadcastTo, permute and slice. Never imported by the library. */
import { at, sizeOf } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";
import { build, given, pick } from "./reference64.ts";

const numbers = (list: unknown): number[] => (Array.isArray(list) ? list.map(Number) : []);

const EXACT = { rel: 0, abs: 0, why: "values are moved, not computed" };

/** Oracle of reshape. */
export const reshapeCases: OpCases = {
  reference(inputs, { shape }) {
    const x = given(inputs, 0);
    const known = sizeOf(numbers(shape).filter((size) => size !== -1));
    const filled = numbers(shape).map((size) => (size === -1 ? x.data.length / known : size));
    return [array64(filled, x.data)];
  },
  samples: [
    { inputs: [{ shape: [4, 6] }], attrs: { shape: [2, 12] } },
    { inputs: [{ shape: [4, 6] }], attrs: { shape: [3, -1] } },
    { inputs: [{ shape: [1] }], attrs: { shape: [] } },
    { inputs: [{ shape: [4, 6], dtype: "f16" }], attrs: { shape: [2, 12] } },
    {
      inputs: [{ shape: [3], dtype: "i32", range: [-5, 5] }],
      attrs: { shape: [3, 1] },
      gradient: false,
    },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 6] }],
      attrs: { shape: [5, 5] },
      throws: /reshape: sizes do not hold the same elements; got x \[4, 6\], shape \[5, 5\]/,
    },
    {
      inputs: [{ shape: [4, 6] }],
      attrs: { shape: [-1, -1] },
      throws: /reshape: sizes do not hold the same elements/,
    },
  ],
  tolerance: EXACT,
};

/** Oracle of broadcastTo. */
export const broadcastToCases: OpCases = {
  reference: (inputs, { shape }) => {
    const x = given(inputs, 0);
    return [build(numbers(shape), (place) => pick(x, place))];
  },
  samples: [
    { inputs: [{ shape: [] }], attrs: { shape: [5, 7] } },
    { inputs: [{ shape: [8] }], attrs: { shape: [3, 8] } },
    { inputs: [{ shape: [3, 1] }], attrs: { shape: [3, 8] } },
    { inputs: [{ shape: [2, 1, 3, 1] }], attrs: { shape: [2, 4, 3, 2] } },
    { inputs: [{ shape: [4, 7] }], attrs: { shape: [4, 7] } },
    { inputs: [{ shape: [8], dtype: "f16" }], attrs: { shape: [3, 8] } },
    { inputs: [{ shape: [3, 1], dtype: "f16" }], attrs: { shape: [3, 7] } },
    {
      inputs: [{ shape: [3], dtype: "i32", range: [-9, 9] }],
      attrs: { shape: [2, 3] },
      gradient: false,
    },
  ],
  errors: [
    {
      inputs: [{ shape: [3, 2] }],
      attrs: { shape: [2] },
      throws: /broadcastTo: x does not broadcast to the shape; got x \[3, 2\], shape \[2\]/,
    },
    {
      inputs: [{ shape: [3, 2] }],
      attrs: { shape: [2, 2] },
      throws: /broadcastTo: shapes do not broadcast/,
    },
  ],
  tolerance: EXACT,
  bench: [{ inputs: [{ shape: [1, 1, 192] }], attrs: { shape: [64, 50, 192] } }],
};

/** Oracle of permute. */
export const permuteCases: OpCases = {
  reference(inputs, attrs) {
    const x = given(inputs, 0);
    const axes = numbers(attrs["axes"]).map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    const shape = axes.map((axis) => at(x.shape, axis));
    return [
      build(shape, (place) =>
        pick(
          x,
          x.shape.map((_size, k) => at(place, axes.indexOf(k))),
        ),
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }], attrs: { axes: [1, 0] } },
    { inputs: [{ shape: [2, 3, 4, 8] }], attrs: { axes: [0, 2, 1, 3] } },
    { inputs: [{ shape: [2, 3, 5] }], attrs: { axes: [-1, 0, 1] } },
    { inputs: [{ shape: [8, 5] }], attrs: { axes: [1, 0] } },
    { inputs: [{ shape: [33, 1, 3] }], attrs: { axes: [2, 1, 0] } },
    { inputs: [{ shape: [4, 7], dtype: "f16" }], attrs: { axes: [1, 0] } },
    { inputs: [{ shape: [2, 3, 4, 8], dtype: "f16" }], attrs: { axes: [0, 2, 1, 3] } },
    { inputs: [{ shape: [8, 5], dtype: "f16" }], attrs: { axes: [1, 0] } },
    { inputs: [{ shape: [3, 2, 1, 2, 3] }], attrs: { axes: [4, 2, 0, 3, 1] } },
    {
      inputs: [{ shape: [2, 3], dtype: "u32", range: [0, 9] }],
      attrs: { axes: [1, 0] },
      gradient: false,
    },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 7] }],
      attrs: { axes: [0, 0] },
      throws: /permute: axes \[0, 0\] must name each axis once; got x \[4, 7\]/,
    },
  ],
  tolerance: EXACT,
  bench: [
    { inputs: [{ shape: [64, 50, 3, 64] }], attrs: { axes: [0, 2, 1, 3] } },
    { inputs: [{ shape: [3200, 192] }], attrs: { axes: [1, 0] } },
  ],
};

/** Oracle of slice. */
export const sliceCases: OpCases = {
  reference(inputs, attrs) {
    const x = given(inputs, 0);
    const axis = (Number(attrs["axis"]) + x.shape.length) % x.shape.length;
    const size = at(x.shape, axis);
    const [start, end] = [attrs["start"], attrs["end"] ?? size].map((value) =>
      Number(value) < 0 ? Number(value) + size : Number(value),
    );
    const first = start ?? 0;
    const shape = x.shape.with(axis, (end ?? size) - first);
    return [
      build(shape, (place) =>
        pick(
          x,
          place.map((p, k) => (k === axis ? p + first : p)),
        ),
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }], attrs: { axis: 1, start: 2, end: 5 } },
    { inputs: [{ shape: [2, 5, 8] }], attrs: { axis: 1, start: 0, end: 1 } },
    { inputs: [{ shape: [2, 5, 8] }], attrs: { axis: -1, start: -4 } },
    { inputs: [{ shape: [9] }], attrs: { start: 3, end: -1 } },
    { inputs: [{ shape: [3, 4] }], attrs: { axis: 0 } },
    { inputs: [{ shape: [2, 5, 8], dtype: "f16" }], attrs: { axis: 1, start: 0, end: 1 } },
    { inputs: [{ shape: [4, 7], dtype: "f16" }], attrs: { axis: 1, start: 2, end: 5 } },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 7] }],
      attrs: { axis: 1, start: 5, end: 9 },
      throws: /slice: 5…9 is outside axis 1; got x \[4, 7\]/,
    },
    {
      inputs: [{ shape: [4, 7] }],
      attrs: { axis: 2 },
      throws: /slice: axis 2 does not exist; got x \[4, 7\]/,
    },
  ],
  tolerance: EXACT,
  bench: [{ inputs: [{ shape: [64, 50, 192] }], attrs: { axis: 1, start: 0, end: 1 } }],
};
