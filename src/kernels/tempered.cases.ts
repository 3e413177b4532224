/** Oracle of tempered. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, OpCases } from "./case.ts";
import { given } from "./reference64.ts";
import { asRows } from "./pass.ts";

/** One number of each row and scale, of the row's distances to its largest and their weights. */
function each(
  [x, scales]: readonly [Array64, Array64],
  of: (below: readonly number[], p: readonly number[], scale: number) => number,
): readonly Array64[] {
  const { rows, cols } = asRows(x.shape);
  const y = array64([rows, scales.data.length]);
  for (let row = 0; row < rows; row++) {
    const line = [...x.data.subarray(row * cols, (row + 1) * cols)];
    const below = line.map((value) => value - Math.max(...line));
    for (const [k, scale] of scales.data.entries()) {
      const e = below.map((value) => Math.exp(scale * value));
      const total = e.reduce((sum, value) => sum + value, 0);
      const p = e.map((value) => value / total);
      y.data[row * scales.data.length + k] = of(below, p, scale);
    }
  }
  return [y];
}

/** Oracle of tempered. */
export const temperedCases: OpCases = {
  reference: (inputs) =>
    each([given(inputs, 0), given(inputs, 1)], (below, p) =>
      below.reduce((sum, value, c) => sum + value * at(p, c), 0),
    ),
  // An exponent errs by its own rounding: its size times the term.
  scale: (inputs) =>
    each([given(inputs, 0), given(inputs, 1)], (below, p, scale) =>
      below.reduce((sum, value, c) => sum - value * at(p, c) * (4 - 2 * scale * value), 0),
    ),
  samples: [
    {
      inputs: [
        { shape: [4, 7], range: [-9, 9] },
        { shape: [3], values: [0.05, 1, 20] },
      ],
    },
    { inputs: [{ shape: [1, 1] }, { shape: [1], values: [1] }] },
    {
      inputs: [
        { shape: [5, 257], range: [-4, 4] },
        { shape: [15], range: [0.1, 3] },
      ],
    },
    { inputs: [{ shape: [130, 3] }, { shape: [2], values: [0.5, 2] }] },
  ],
  extremes: [
    {
      inputs: [
        { shape: [2, 4], values: [0, 90, 0, -30, 1e4, 1e4, -1e4, 0] },
        { shape: [2], values: [1, 0.1] },
      ],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [4] }, { shape: [1] }],
      throws: /tempered: x must be \[N, C\] with C ≥ 1 and scales \[K\]; got x \[4\], scales \[1\]/,
    },
  ],
  tolerance: {
    rel: 1e-6,
    abs: 1e-30,
    why: "exp is good to (3 + 2|x|) ULP; two sums of 257 positive terms, tree-reduced",
  },
  bench: [{ inputs: [{ shape: [4096, 1000] }, { shape: [15], range: [0.1, 3] }] }],
};
