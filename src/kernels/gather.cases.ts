/** Oracles of gather and gatherBackward. Never imported by the library. */
import { at, sizeOf } from "../util/shape.ts";
import type { OpCases } from "./case.ts";
import { build, given, pick } from "./reference64.ts";

/** Oracle of gather. */
export const gatherCases: OpCases = {
  reference(inputs) {
    const [table, indices] = [given(inputs, 0), given(inputs, 1)];
    const lead = indices.shape.length;
    return [
      build([...indices.shape, ...table.shape.slice(1)], (place) => {
        const row = pick(indices, place.slice(0, lead));
        const exists = row >= 0 && row < at(table.shape, 0);
        return exists ? pick(table, [row, ...place.slice(lead)]) : 0;
      }),
    ];
  },
  samples: [
    { inputs: [{ shape: [5, 3] }, { shape: [7], dtype: "i32", range: [0, 5] }] },
    { inputs: [{ shape: [10, 8] }, { shape: [2, 3], dtype: "i32", range: [0, 10] }] },
    { inputs: [{ shape: [6] }, { shape: [70], dtype: "i32", range: [0, 6] }] },
    { inputs: [{ shape: [3, 2, 2] }, { shape: [], dtype: "i32", values: [2] }] },
    { inputs: [{ shape: [2, 4] }, { shape: [3], dtype: "i32", values: [-1, 1, 2] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [] }, { shape: [1], dtype: "i32" }],
      throws: /gather: table needs at least 1 axis; got table \[\]/,
    },
    {
      inputs: [{ shape: [2, 3] }, { shape: [1] }],
      throws: /gather: indices must be i32, not f32/,
    },
  ],
  tolerance: { rel: 0, abs: 0, why: "values are moved, not computed" },
  bench: [{ inputs: [{ shape: [1000, 192] }, { shape: [512], dtype: "i32", range: [0, 1000] }] }],
};

/** Oracle of gatherBackward. */
export const gatherBackwardCases: OpCases = {
  reference(inputs, attrs) {
    const [g, indices] = [given(inputs, 0), given(inputs, 1)];
    const cols = g.data.length / sizeOf(indices.shape);
    return [
      build([Number(attrs["rows"]), cols], ([row, col]) =>
        indices.data.reduce(
          (total, index, n) => total + (index === row ? at(g.data, n * cols + (col ?? 0)) : 0),
          0,
        ),
      ),
    ];
  },
  scale: (inputs, attrs) => [
    build(
      [Number(attrs["rows"]), given(inputs, 0).data.length / given(inputs, 1).data.length],
      () => given(inputs, 1).data.length,
    ),
  ],
  samples: [
    {
      inputs: [{ shape: [7, 3] }, { shape: [7], dtype: "i32", range: [0, 5] }],
      attrs: { rows: 5 },
    },
    {
      inputs: [{ shape: [2, 9, 8] }, { shape: [2, 9], dtype: "i32", range: [0, 4] }],
      attrs: { rows: 4 },
    },
    { inputs: [{ shape: [1] }, { shape: [1], dtype: "i32", values: [0] }], attrs: { rows: 70 } },
  ],
  errors: [
    {
      inputs: [{ shape: [3, 2] }, { shape: [4], dtype: "i32" }],
      attrs: { rows: 5 },
      throws:
        /gatherBackward: g must start with the shape of indices; got g \[3, 2\], indices \[4\]/,
    },
  ],
  tolerance: { rel: 2e-7, abs: 0, why: "of the number of terms, each below 1, added one by one" },
  bench: [
    {
      inputs: [{ shape: [512, 192] }, { shape: [512], dtype: "i32", range: [0, 10] }],
      attrs: { rows: 10 },
    },
  ],
};
