/** Oracle of segmentSum. Never imported by the library. */
import { at } from "../util/shape.ts";
import type { OpCases } from "./case.ts";
import { build, given } from "./reference64.ts";

/** Oracle of segmentSum. */
export const segmentSumCases: OpCases = {
  reference(inputs) {
    const [x, order, starts] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const cols = at(x.shape, 1);
    return [
      build([starts.data.length - 1, cols], ([segment = 0, col = 0]) =>
        order.data
          .slice(at(starts.data, segment), at(starts.data, segment + 1))
          .reduce((total, row) => total + at(x.data, row * cols + col), 0),
      ),
    ];
  },
  scale: (inputs) => [
    build(
      [given(inputs, 2).data.length - 1, at(given(inputs, 0).shape, 1)],
      () => given(inputs, 1).data.length,
    ),
  ],
  samples: [
    {
      inputs: [
        { shape: [7, 3] },
        { shape: [6], dtype: "i32", values: [6, 0, 2, 2, 5, 1] },
        { shape: [4], dtype: "i32", values: [0, 2, 2, 6] },
      ],
    },
    {
      inputs: [
        { shape: [70, 8] },
        { shape: [70], dtype: "i32", range: [0, 70] },
        { shape: [3], dtype: "i32", values: [0, 69, 70] },
      ],
    },
    {
      inputs: [
        { shape: [1, 1] },
        { shape: [1], dtype: "i32", values: [0] },
        { shape: [2], dtype: "i32", values: [0, 1] },
      ],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [3] }, { shape: [3], dtype: "i32" }, { shape: [2], dtype: "i32" }],
      throws: /segmentSum: x must be \[N, W\], order \[M\], starts \[S \+ 1\]; got x \[3\]/,
    },
    {
      inputs: [{ shape: [3, 2] }, { shape: [3] }, { shape: [2], dtype: "i32" }],
      throws: /segmentSum: order must be i32, not f32/,
    },
  ],
  tolerance: { rel: 2e-7, abs: 0, why: "of the number of terms, each below 1, added one by one" },
  bench: [
    {
      inputs: [
        { shape: [4096, 768] },
        { shape: [4096], dtype: "i32", range: [0, 4096] },
        { shape: [3], dtype: "i32", values: [0, 2048, 4096] },
      ],
    },
  ],
};
