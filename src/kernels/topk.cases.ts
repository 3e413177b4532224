/** Oracle of topk. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";
import { asRows } from "./pass.ts";

/** Oracle of topk. */
export const topkCases: OpCases = {
  reference([x], { k }) {
    if (!x || typeof k !== "number") return [];
    const { rows, cols } = asRows(x.shape);
    const y = array64([rows, k]);
    for (let row = 0; row < rows; row++) {
      const line = [...x.data.subarray(row * cols, (row + 1) * cols)];
      const threshold = at(
        line.toSorted((a, b) => b - a),
        k - 1,
      );
      const above = line.filter((value) => value > threshold);
      y.data.set([...above, ...Array<number>(k - above.length).fill(threshold)], row * k);
    }
    return [y];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }], attrs: { k: 3 } },
    { inputs: [{ shape: [1, 1] }], attrs: { k: 1 } },
    { inputs: [{ shape: [5, 257], range: [-9, 9] }], attrs: { k: 100 } },
    { inputs: [{ shape: [3, 65] }], attrs: { k: 65 } },
    { inputs: [{ shape: [130, 3] }], attrs: { k: 2 } },
  ],
  extremes: [
    { inputs: [{ shape: [2, 4], values: [0, 0, 0, 5, -1, -1, -1, -1] }], attrs: { k: 3 } },
    { inputs: [{ shape: [1, 5], values: [-1e30, 1e30, -1e-30, 1e-30, 0] }], attrs: { k: 3 } },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 3] }],
      attrs: { k: 4 },
      throws: /topk: x must be \[N, C\] with 1 ≤ k ≤ C, k = 4; got x \[2, 3\]/,
    },
    { inputs: [{ shape: [4] }], throws: /topk: x must be \[N, C\]/ },
  ],
  tolerance: { rel: 0, abs: 0, why: "elements are copied" },
  bench: [{ inputs: [{ shape: [4096, 768] }], attrs: { k: 77 } }],
};
