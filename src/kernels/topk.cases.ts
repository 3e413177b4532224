/** Oracles of topk and topkMerge. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";
import { asRows } from "./pass.ts";

/** The k largest in the order that the ops promise: those above the k-th, then its equals. */
function largest(line: readonly number[], k: number): number[] {
  const threshold = at(
    line.toSorted((a, b) => b - a),
    k - 1,
  );
  const above = line.filter((value) => value > threshold);
  return [...above, ...Array<number>(k - above.length).fill(threshold)];
}

/** Oracle of topk. */
export const topkCases: OpCases = {
  reference([x], { k }) {
    if (!x || typeof k !== "number") return [];
    const { rows, cols } = asRows(x.shape);
    const y = array64([rows, k]);
    for (let row = 0; row < rows; row++)
      y.data.set(largest([...x.data.subarray(row * cols, (row + 1) * cols)], k), row * k);
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

/** Oracle of topkMerge. */
export const topkMergeCases: OpCases = {
  reference([found, x]) {
    if (!found || !x) return [];
    const [{ rows, cols }, k] = [asRows(x.shape), asRows(found.shape).cols];
    const y = array64([rows, k]);
    for (let row = 0; row < rows; row++) {
      const before = found.data.subarray(row * k, (row + 1) * k);
      const line = [...before, ...x.data.subarray(row * cols, (row + 1) * cols)];
      y.data.set(largest(line, k), row * k);
    }
    return [y];
  },
  samples: [
    { inputs: [{ shape: [4, 3] }, { shape: [4, 7] }] },
    { inputs: [{ shape: [1, 1] }, { shape: [1, 1] }] },
    {
      inputs: [
        { shape: [5, 100], range: [-9, 9] },
        { shape: [5, 257], range: [-9, 9] },
      ],
    },
    {
      inputs: [
        { shape: [3, 70], range: [0, 1] },
        { shape: [3, 20], range: [-2, -1] },
      ],
    },
    { inputs: [{ shape: [130, 9], range: [-2, -1] }, { shape: [130, 65] }] },
  ],
  extremes: [
    {
      inputs: [
        { shape: [2, 3], values: [0, 0, 5, -1, -1, -1] },
        { shape: [2, 4], values: [0, 5, 0, -3, -1, -1, -1, -1] },
      ],
    },
    {
      inputs: [
        { shape: [1, 2], values: [-1e30, 1e-30] },
        { shape: [1, 3], values: [1e30, -1e-30, 0] },
      ],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [3, 3] }],
      throws: /topkMerge: found must be \[N, k\] and x \[N, C\]; got found \[2, 3\], x \[3, 3\]/,
    },
  ],
  tolerance: { rel: 0, abs: 0, why: "elements are copied" },
  bench: [{ inputs: [{ shape: [4096, 50], range: [0.9, 1] }, { shape: [4096, 1024] }] }],
};
