/** Oracle of where. Never imported by the library. */
import { at, broadcastShapes, sizeOf } from "../util/shape.ts";
import type { InputSpec, OpCases } from "./case.ts";
import { build, given, pick } from "./reference64.ts";

/** A condition of zeros and other numbers, of both signs. */
const mask = (shape: readonly number[]): InputSpec => ({
  shape,
  values: Array.from({ length: sizeOf(shape) }, (_, index) => at([0, 1, -2], (index * 7) % 3)),
});

/** Oracle of where. */
export const whereCases: OpCases = {
  reference(inputs) {
    const [condition, a, b] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const both = broadcastShapes("reference", a.shape, b.shape);
    return [
      build(broadcastShapes("reference", condition.shape, both), (place) =>
        pick(condition, place) !== 0 ? pick(a, place) : pick(b, place),
      ),
    ];
  },
  samples: [
    { inputs: [mask([5]), { shape: [5] }, { shape: [5] }] },
    { inputs: [mask([4, 64]), { shape: [4, 64] }, { shape: [4, 64] }] },
    { inputs: [mask([3, 1]), { shape: [3, 5] }, { shape: [] }] },
    { inputs: [mask([3, 1]), { shape: [3, 8] }, { shape: [8] }] },
    { inputs: [mask([7]), { shape: [2, 1] }, { shape: [7] }] },
    { inputs: [mask([]), { shape: [] }, { shape: [] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [2] }, { shape: [3] }, { shape: [3] }],
      throws: /where: shapes do not broadcast; got a \[2\], b \[3\]/,
    },
    {
      inputs: [{ shape: [2], dtype: "i32" }, { shape: [2] }, { shape: [2] }],
      throws: /where: condition must be f32, not i32; use cast/,
    },
  ],
  tolerance: { rel: 0, abs: 0, why: "values are picked, not computed" },
  bench: [
    { inputs: [{ shape: [64, 50, 192] }, { shape: [64, 50, 192] }, { shape: [64, 50, 192] }] },
  ],
};
