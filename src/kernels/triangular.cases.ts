/** Oracles of the triangular steps. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, InputSpec, OpCases, Sample } from "./case.ts";

/** A panel whose block is positive definite: nearly orthogonal columns, and small numbers beside. */
const panel = (size: number, cols: number): InputSpec => ({
  shape: [size, cols],
  values: Array.from({ length: size * cols }, (_, index) => {
    const [row, column] = [Math.floor(index / cols), index % cols];
    return Math.sin(1 + row + 3 * column + row * column) / 8 + (row === column ? size / 8 + 1 : 0);
  }),
});

/** By columns of L, outer products taken off: another order than the shader's. */
function factor64(a: Array64, pivot: Array64, first: number): [Array64, Array64] {
  const [size, cols] = [at(a.shape, 0), at(a.shape, 1)];
  const rest = a.data.slice();
  const made = array64(a.shape);
  let failed = at(pivot.data, 0);
  for (let k = 0; k < size; k++) {
    const square = at(rest, k * cols + k);
    if (!(square > 0)) {
      if (failed < 0) failed = first + k;
      made.data[k * cols + k] = 1;
      continue;
    }
    for (let j = k; j < cols; j++)
      made.data[k * cols + j] = at(rest, k * cols + j) / Math.sqrt(square);
    for (let i = k + 1; i < size; i++)
      for (let j = i; j < cols; j++)
        rest[i * cols + j] =
          at(rest, i * cols + j) - at(made.data, k * cols + i) * at(made.data, k * cols + j);
  }
  return [made, array64([1], [failed])];
}

const atLeast = ({ shape, data }: Array64, floor: number): Array64 => ({
  shape,
  data: data.map((value) => Math.max(Math.abs(value), floor)),
});

const none: InputSpec = { shape: [1], dtype: "i32", values: [-1] };
const known: InputSpec = { shape: [1], dtype: "i32", values: [5] };

/** Oracle of choleskyPanel. */
export const choleskyPanelCases: OpCases = {
  reference: ([a, pivot], { first }) => (a && pivot ? factor64(a, pivot, Number(first)) : []),
  // Sums of up to 64 products of numbers below 1, whatever is left of them.
  scale: ([a, pivot]) =>
    a && pivot
      ? factor64(a, pivot, 0).map((result) => atLeast(result, 1 + at(a.shape, 0) / 8))
      : [],
  samples: [
    { inputs: [panel(7, 10), none], attrs: { first: 3 } },
    { inputs: [panel(1, 1), none], attrs: { first: 0 } },
    { inputs: [panel(64, 64), known], attrs: { first: 0 } },
    { inputs: [panel(64, 200), none], attrs: { first: 128 } },
    { inputs: [panel(33, 40), none], attrs: { first: 0 } },
  ],
  extremes: [
    // The second pivot is zero, and the third would be negative.
    {
      inputs: [{ shape: [3, 3], values: [4, 2, 0, 2, 1, 0, 0, 0, -1] }, none],
      attrs: { first: 64 },
    },
    { inputs: [{ shape: [2, 2], values: [1e-30, 0, 0, 1e30] }, none], attrs: { first: 0 } },
  ],
  errors: [
    {
      inputs: [{ shape: [65, 65] }, none],
      throws:
        /choleskyPanel: panel must be \[B, M\] with 1 ≤ B ≤ 64 and B ≤ M; got panel \[65, 65\]/,
    },
    { inputs: [{ shape: [3, 2] }, none], throws: /panel must be \[B, M\]/ },
    {
      inputs: [{ shape: [2, 2] }, { shape: [2], dtype: "i32" }],
      throws: /choleskyPanel: pivot must be \[1\]; got pivot \[2\]/,
    },
  ],
  tolerance: {
    rel: 4e-6,
    abs: 1e-30,
    why: "sums of 64 products of numbers below 1, divided by at least 1",
  },
  bench: [{ inputs: [panel(64, 768), none], attrs: { first: 0 } }],
};

/** A well-conditioned matrix: both of its triangles can be solved with. */
const square = (size: number): InputSpec => panel(size, size);

/** x with T x = b, column by column: values found are taken off the other rows at once. */
function solve64(
  t: Array64,
  b: Array64,
  singular: Array64,
  { first, lower, transpose }: Readonly<Record<string, unknown>>,
): [Array64, Array64] {
  const [side, size, cols] = [at(t.shape, 0), at(b.shape, 0), at(b.shape, 1)];
  const start = Number(first);
  const element = (i: number, j: number): number =>
    transpose === true
      ? at(t.data, (start + j) * side + start + i)
      : at(t.data, (start + i) * side + start + j);
  const isForward = (lower === true) !== (transpose === true);
  const rows = Array.from({ length: size }, (_, k) => (isForward ? k : size - 1 - k));
  const x = b.data.slice();
  let failed = at(singular.data, 0);
  rows.forEach((j, turn) => {
    if (element(j, j) === 0 && failed < 0) failed = start + j;
    for (let c = 0; c < cols; c++) {
      const value = element(j, j) === 0 ? 0 : at(x, j * cols + c) / element(j, j);
      x[j * cols + c] = value;
      for (const i of rows.slice(turn + 1))
        x[i * cols + c] = at(x, i * cols + c) - element(i, j) * value;
    }
  });
  return [{ shape: b.shape, data: x }, array64([1], [failed])];
}

const sample = (
  side: number,
  [size, cols]: readonly [number, number],
  attrs: { readonly first: number; readonly lower: boolean; readonly transpose: boolean },
): Sample => ({ inputs: [square(side), { shape: [size, cols] }, none], attrs });

/** Oracle of triangularBlock. */
export const triangularBlockCases: OpCases = {
  reference: ([t, x, singular], attrs) =>
    t && x && singular ? solve64(t, x, singular, attrs) : [],
  scale: ([t, x, singular], attrs) =>
    t && x && singular ? solve64(t, x, singular, attrs).map((result) => atLeast(result, 1)) : [],
  samples: [
    sample(9, [5, 7], { first: 2, lower: true, transpose: false }),
    sample(9, [9, 7], { first: 0, lower: true, transpose: true }),
    sample(1, [1, 1], { first: 0, lower: false, transpose: false }),
    sample(130, [64, 70], { first: 64, lower: false, transpose: false }),
    sample(130, [2, 300], { first: 128, lower: false, transpose: true }),
    sample(130, [64, 1], { first: 0, lower: true, transpose: false }),
  ],
  extremes: [
    // A zero on the diagonal: its row of x becomes zero.
    {
      inputs: [
        { shape: [3, 3], values: [2, 0, 0, 1, 0, 0, 4, 5, 8] },
        { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] },
        none,
      ],
      attrs: { first: 0, lower: true, transpose: false },
    },
    {
      inputs: [
        { shape: [2, 2], values: [1e-20, 0, 0, 1e20] },
        { shape: [2, 1], values: [1e-20, 1e20] },
        known,
      ],
      attrs: { first: 0, lower: false, transpose: false },
    },
  ],
  errors: [
    {
      inputs: [{ shape: [3, 4] }, { shape: [3, 1] }, none],
      throws: /triangularBlock: t must be square; got t \[3, 4\], x \[3, 1\]/,
    },
    {
      inputs: [{ shape: [70, 70] }, { shape: [65, 1] }, none],
      throws: /triangularBlock: x must be \[B, K\] with 1 ≤ B ≤ 64; got t \[70, 70\], x \[65, 1\]/,
    },
    {
      inputs: [{ shape: [3, 3] }, { shape: [2, 1] }, none],
      attrs: { first: 2, lower: true, transpose: false },
      throws: /triangularBlock: t has no block of 2 at row 2; got t \[3, 3\], x \[2, 1\]/,
    },
    {
      inputs: [{ shape: [3, 3] }, { shape: [2, 1] }, { shape: [3], dtype: "i32" }],
      throws: /triangularBlock: singular must be \[1\]; got singular \[3\]/,
    },
  ],
  tolerance: { rel: 4e-6, abs: 1e-30, why: "sums of 64 products below 1, divided by at least 1" },
  bench: [
    {
      inputs: [square(768), { shape: [64, 768] }, none],
      attrs: { first: 0, lower: true, transpose: false },
    },
  ],
};
