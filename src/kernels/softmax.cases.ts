/** Oracles of softmax and its backward. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, OpCases } from "./case.ts";
import { asRows } from "./pass.ts";

function softmax64(x: Array64): Array64 {
  const { rows, cols } = asRows(x.shape);
  const y = array64(x.shape);
  for (let row = 0; row < rows; row++) {
    const line = x.data.subarray(row * cols, (row + 1) * cols);
    const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
    const exps = line.map((value) => Math.exp(value - largest));
    const total = exps.reduce((a, b) => a + b, 0);
    y.data.set(
      exps.map((value) => value / total),
      row * cols,
    );
  }
  return y;
}

/** Oracle of softmax. */
export const softmaxCases: OpCases = {
  reference: ([x]) => [softmax64(x ?? array64([]))],
  samples: [
    { inputs: [{ shape: [4, 7] }] },
    { inputs: [{ shape: [1, 1] }] },
    { inputs: [{ shape: [3, 257], range: [-4, 4] }] },
    { inputs: [{ shape: [2, 3, 65] }] },
    { inputs: [{ shape: [9] }] },
    { inputs: [{ shape: [9, 8] }] }, // no column past the row
    { inputs: [{ shape: [2, 256] }] },
    { inputs: [{ shape: [2, 2050] }] }, // wider than any variant's registers
  ],
  extremes: [
    { inputs: [{ shape: [2, 4], values: [80, -80, 0, 1, 1e30, 1e30, -1e30, 0] }] },
    { inputs: [{ shape: [1, 3], values: [5, 5, 5] }] },
  ],
  errors: [{ inputs: [{ shape: [] }], throws: /softmax: x needs at least 1 axis; got x \[\]/ }],
  tolerance: {
    rel: 2e-5,
    abs: 1e-30,
    why: "exp is good to (4 + 2|x|) ULP and the scaled difference reaches 8; the sum is a tree",
  },
  bench: [{ inputs: [{ shape: [12 * 192, 197] }] }],
};

/** Oracle of softmaxBackward. */
export const softmaxBackwardCases: OpCases = {
  reference([g, y]) {
    if (!g || !y) return [];
    const { rows, cols } = asRows(y.shape);
    const dx = array64(y.shape);
    for (let row = 0; row < rows; row++) {
      let dot = 0;
      for (let c = 0; c < cols; c++) dot += at(g.data, row * cols + c) * at(y.data, row * cols + c);
      for (let c = 0; c < cols; c++) {
        const index = row * cols + c;
        dx.data[index] = at(y.data, index) * (at(g.data, index) - dot);
      }
    }
    return [dx];
  },
  scale([g, y]) {
    if (!g || !y) return [];
    const { rows, cols } = asRows(y.shape);
    const scale = array64(y.shape);
    for (let row = 0; row < rows; row++) {
      let dot = 0;
      for (let c = 0; c < cols; c++)
        dot += Math.abs(at(g.data, row * cols + c) * at(y.data, row * cols + c));
      for (let c = 0; c < cols; c++) {
        const index = row * cols + c;
        scale.data[index] = Math.abs(at(y.data, index)) * (Math.abs(at(g.data, index)) + dot);
      }
    }
    return [scale];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }, { shape: [4, 7], range: [0, 1] }] },
    { inputs: [{ shape: [2, 3, 65] }, { shape: [2, 3, 65], range: [0, 1] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [2, 4] }],
      throws: /softmaxBackward: g and y must have one shape; got g \[2, 3\], y \[2, 4\]/,
    },
  ],
  tolerance: { rel: 2e-6, abs: 1e-30, why: "two products and a tree sum of at most 65 terms" },
  bench: [{ inputs: [{ shape: [2304, 197] }, { shape: [2304, 197], range: [0, 1] }] }],
};
