/** Oracle of logitstats. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";
import { asRows } from "./pass.ts";

/** Oracle of logitstats. */
export const logitstatsCases: OpCases = {
  reference([x]) {
    if (!x) return [];
    const { rows, cols } = asRows(x.shape);
    const y = array64([rows, 4]);
    for (let row = 0; row < rows; row++) {
      const line = [...x.data.subarray(row * cols, (row + 1) * cols)];
      const largest = Math.max(...line);
      const column = line.indexOf(largest);
      const others = line.filter((_, c) => c !== column);
      const second = Math.max(...others);
      const tail = others.reduce((total, value) => total + Math.exp(value - second), 0);
      y.data.set([largest, cols > 1 ? second - largest : 0, tail, column], row * 4);
    }
    return [y];
  },
  // The gap is a difference of two logits: Σ|terms| counts both.
  scale([x]) {
    if (!x) return [];
    const { rows, cols } = asRows(x.shape);
    const scale = array64([rows, 4]);
    for (let row = 0; row < rows; row++) {
      const line = x.data.subarray(row * cols, (row + 1) * cols);
      const size = line.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      scale.data.set([size, 2 * size, at(x.shape, 1), 0], row * 4);
    }
    return [scale];
  },
  samples: [
    { inputs: [{ shape: [4, 7], range: [-9, 9] }] },
    { inputs: [{ shape: [1, 1] }] },
    { inputs: [{ shape: [3, 2], values: [1, 1, 2, -2, -0.5, 0.5] }] },
    { inputs: [{ shape: [5, 257], range: [-4, 4] }] },
    { inputs: [{ shape: [130, 3] }] },
  ],
  extremes: [
    { inputs: [{ shape: [2, 4], values: [0, 120, 0, -300, 1e30, 1e30, -1e30, 0] }] },
    { inputs: [{ shape: [2, 3], values: [5, 5, 5, -3, -3, -3] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [4] }],
      throws: /logitstats: x must be \[N, C\] with C ≥ 1; got x \[4\]/,
    },
  ],
  tolerance: {
    rel: 2e-6,
    abs: 1e-30,
    why: "max is exact, the gap is one subtraction, the tail sums exponentials of at most 0",
  },
  bench: [{ inputs: [{ shape: [4096, 1000] }] }],
};
