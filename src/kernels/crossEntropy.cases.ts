/** Oracles of crossEntropy, its backward and correctCount. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, InputSpec, OpCases, Sample } from "./case.ts";
import { asRows } from "./pass.ts";

const absent = array64([]);

const smoothingOf = (attrs: Readonly<Record<string, unknown>>): number =>
  typeof attrs["labelSmoothing"] === "number" ? attrs["labelSmoothing"] : NaN;

/** Row by row: logits, log-sum-exp, and the wanted distribution (null where the label is no class). */
function rowsOf(
  logits: Array64,
  labels: Array64,
  smoothing: number,
): { line: Float64Array; lse: number; wanted: number[] | null }[] {
  const { rows, cols } = asRows(logits.shape);
  return Array.from({ length: rows }, (_, row) => {
    const line = logits.data.subarray(row * cols, (row + 1) * cols);
    const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
    const lse = largest + Math.log(line.reduce((a, b) => a + Math.exp(b - largest), 0));
    const label = at(labels.data, row);
    const isClass = label >= 0 && label < cols;
    const wanted = Array.from(line, (_value, c) =>
      c === label ? 1 - smoothing + smoothing / cols : smoothing / cols,
    );
    return { line, lse, wanted: isClass ? wanted : null };
  });
}

const validOf = (validRows: Array64, logits: Array64): number =>
  Math.min(at(validRows.data, 0), at(logits.shape, 0));

function crossEntropy64(
  [logits, labels, validRows]: readonly (Array64 | null)[],
  smoothing: number,
): Array64[] {
  if (!logits || !labels || !validRows) return [];
  const rows = rowsOf(logits, labels, smoothing);
  const valid = validOf(validRows, logits);
  const losses = rows.map(({ line, lse, wanted }) =>
    wanted ? wanted.reduce((sum, q, c) => sum + q * (lse - at(line, c)), 0) : 0,
  );
  const loss = losses.slice(0, valid).reduce((a, b) => a + b, 0) / Math.max(1, valid);
  return [
    array64([], [loss]),
    array64(
      [rows.length],
      rows.map(({ lse }) => lse),
    ),
  ];
}

const labels = (rows: number, classes: number): InputSpec => ({
  shape: [rows],
  dtype: "i32",
  range: [0, classes],
});
const validRows = (rows: number): InputSpec => ({ shape: [1], dtype: "u32", values: [rows] });

const sample = (
  [rows, classes]: readonly [number, number],
  valid = rows,
  labelSmoothing = 0,
): Sample => ({
  inputs: [{ shape: [rows, classes], range: [-3, 3] }, labels(rows, classes), validRows(valid)],
  attrs: { labelSmoothing },
});

const badLabels: Sample = {
  inputs: [
    { shape: [4, 3] },
    { shape: [4], dtype: "i32", values: [-1, 3, 2_000_000_000, 1] },
    validRows(4),
  ],
};

/** Oracle of crossEntropy. */
export const crossEntropyCases: OpCases = {
  reference: (inputs, attrs) => crossEntropy64(inputs, smoothingOf(attrs)),
  // Σ|terms|: the largest logit enters and leaves again, so it bounds what rounds.
  scale([logits, , valid]) {
    if (!logits || !valid) return [];
    const { rows, cols } = asRows(logits.shape);
    const size = logits.data.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    const each = array64(
      [rows],
      Array.from({ length: rows }, () => size + Math.log(cols)),
    );
    return [array64([], [3 * size + Math.log(cols)]), each];
  },
  samples: [
    sample([4, 7]),
    sample([1, 1]),
    sample([5, 10], 3, 0.1),
    sample([70, 10], 65, 0.1),
    sample([3, 257], 9),
    sample([2, 5], 0),
    badLabels,
  ],
  extremes: [
    {
      inputs: [
        { shape: [3, 3], values: [90, -90, 0, 1e30, 0, -1e30, 7, 7, 7] },
        { shape: [3], dtype: "i32", values: [1, 0, 2] },
        validRows(3),
      ],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [3], dtype: "i32" }, validRows(2)],
      throws: /crossEntropy: labels must be i32, one a row .*; got logits \[2, 3\], labels \[3\]/,
    },
    {
      inputs: [{ shape: [2, 3] }, { shape: [2] }, validRows(2)],
      throws: /crossEntropy: labels must be i32, one a row \(they are f32\)/,
    },
    {
      inputs: [{ shape: [2] }, labels(2, 1), validRows(2)],
      throws: /crossEntropy: logits must be \[rows, classes\], neither 0; got logits \[2\]/,
    },
    {
      inputs: [{ shape: [2, 3] }, labels(2, 3), { shape: [1], dtype: "i32", values: [2] }],
      throws: /crossEntropy: validRows must be one u32 \(it is i32\)/,
    },
  ],
  tolerance: { rel: 2e-6, abs: 1e-30, why: "exp good to (4 + 2|x|) ULP, log to 2^-21, tree sums" },
  bench: [sample([64, 10]), sample([512, 1000], 512, 0.1)],
};

const backwardSample = (
  [rows, classes]: readonly [number, number],
  valid = rows,
  labelSmoothing = 0,
): Sample => ({
  inputs: [
    { shape: [], values: [0.75] },
    { shape: [rows, classes], range: [-3, 3] },
    labels(rows, classes),
    { shape: [rows], range: [3, 5] },
    validRows(valid),
  ],
  attrs: { labelSmoothing },
});

function dlogits64(
  [g, logits, labelled, lse, valid]: readonly (Array64 | null)[],
  smoothing: number,
  term: (probability: number, wanted: number) => number,
): Array64[] {
  if (!g || !logits || !labelled || !lse || !valid) return [];
  const { cols } = asRows(logits.shape);
  const count = validOf(valid, logits);
  const dlogits = array64(logits.shape);
  rowsOf(logits, labelled, smoothing)
    .slice(0, count)
    .forEach(({ line, wanted }, row) => {
      wanted?.forEach((q, c) => {
        const probability = Math.exp(at(line, c) - at(lse.data, row));
        dlogits.data[row * cols + c] = (at(g.data, 0) / count) * term(probability, q);
      });
    });
  return [dlogits];
}

/** Oracle of crossEntropyBackward. */
export const crossEntropyBackwardCases: OpCases = {
  reference: (inputs, attrs) => dlogits64(inputs, smoothingOf(attrs), (p, q) => p - q),
  scale: (inputs, attrs) => dlogits64(inputs, smoothingOf(attrs), (p, q) => p + q),
  samples: [
    backwardSample([4, 7]),
    backwardSample([1, 1]),
    backwardSample([70, 10], 65, 0.1),
    backwardSample([2, 5], 0),
    {
      ...badLabels,
      inputs: [{ shape: [] }, ...badLabels.inputs.slice(0, 2), { shape: [4] }, validRows(4)],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [] }, { shape: [2, 3] }, { shape: [2] }, { shape: [2] }, validRows(2)],
      throws: /crossEntropyBackward: labels must be i32, one a row \(they are f32\)/,
    },
  ],
  tolerance: { rel: 4e-6, abs: 1e-30, why: "exp is good to (4 + 2|x|) ULP with |x| up to 8" },
  bench: [backwardSample([64, 10]), backwardSample([512, 1000])],
};

/** Oracle of correctCount. */
export const correctCountCases: OpCases = {
  reference([logits = absent, labelled = absent, valid = absent]) {
    if (!logits || !labelled || !valid) return [];
    const { rows, cols } = asRows(logits.shape);
    let count = 0;
    for (let row = 0; row < Math.min(rows, at(valid.data, 0)); row++) {
      const line = logits.data.subarray(row * cols, (row + 1) * cols);
      const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
      if (line.indexOf(largest) === at(labelled.data, row)) count++;
    }
    return [array64([], [count])];
  },
  samples: [
    sample([4, 7]),
    sample([1, 1]),
    sample([70, 3], 65),
    sample([5, 257], 9),
    badLabels,
    {
      inputs: [
        { shape: [2, 3], values: [1, 1, 0, 0, 2, 2] },
        { shape: [2], dtype: "i32", values: [0, 2] },
        validRows(2),
      ],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [1], dtype: "i32" }, validRows(2)],
      throws: /correctCount: labels must be i32, one a row/,
    },
  ],
  tolerance: { rel: 0, abs: 0, why: "whole numbers" },
  bench: [sample([512, 1000])],
};
