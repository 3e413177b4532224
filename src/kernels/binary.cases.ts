/** Oracles of the elementwise ops of two operands. Never imported by the library. */
import type { InputSpec, OpCases, Sample, Tolerance } from "./case.ts";
import { given, zip64 } from "./reference64.ts";

/** Samples of every way in which two operands broadcast; `b` in a range of its own. */
export function broadcastSamples(range?: readonly [number, number]): Sample[] {
  const b = (shape: readonly number[]): InputSpec => (range ? { shape, range } : { shape });
  const pairs: (readonly [readonly number[], readonly number[]])[] = [
    [
      [4, 7],
      [4, 7],
    ], // same, odd
    [
      [8, 16],
      [8, 16],
    ], // same, whole vectors
    [[], []],
    [[1], [1]],
    [[5, 12], [12]], // bias
    [
      [3, 4, 5],
      [1, 4, 5],
    ], // position embedding
    [[12], [5, 12]],
    [[67], []], // one number
    [[], [2, 3]],
    [
      [6, 1],
      [1, 5],
    ], // outer
    [
      [2, 3, 4],
      [2, 1, 4],
    ],
    [
      [2, 3, 5, 4],
      [3, 1, 1],
    ], // channels: whole vectors beside a splat
    [
      [5, 8],
      [5, 1],
    ], // one factor a row
  ];
  return pairs.map(([left, right]) => ({ inputs: [{ shape: left }, b(right)] }));
}

const large = { shape: [64, 50, 192] };

/** A case set for an op of two operands. */
export function binaryCases(
  name: string,
  f: (a: number, b: number) => number,
  tolerance: Tolerance,
  options: {
    range?: readonly [number, number];
    scale?: (a: number, b: number) => number;
    samples?: readonly Sample[];
  } = {},
): OpCases {
  const { scale } = options;
  return {
    reference: (inputs) => [zip64(given(inputs, 0), given(inputs, 1), f)],
    ...(scale && { scale: (inputs) => [zip64(given(inputs, 0), given(inputs, 1), scale)] }),
    samples: options.samples ?? broadcastSamples(options.range),
    errors: [
      {
        inputs: [{ shape: [4, 7] }, { shape: [8, 3] }],
        throws: new RegExp(`${name}: shapes do not broadcast; got a \\[4, 7\\], b \\[8, 3\\]`),
      },
      {
        inputs: [{ shape: [2] }, { shape: [2], dtype: "i32" }],
        throws: new RegExp(`${name}: b must be f32, not i32; use cast`),
      },
    ],
    tolerance,
    bench: [{ inputs: [large, large] }, { inputs: [large, { shape: [192] }] }],
  };
}

const ROUNDED = { rel: 2 ** -23, abs: 0, why: "one correctly rounded operation" };

/** Oracle of add. */
export const addCases = binaryCases("add", (a, b) => a + b, ROUNDED);
/** Oracle of sub. */
export const subCases = binaryCases("sub", (a, b) => a - b, ROUNDED);
/** Oracle of mul. */
export const mulCases = binaryCases("mul", (a, b) => a * b, ROUNDED);
/** Oracle of div. */
export const divCases = binaryCases(
  "div",
  (a, b) => a / b,
  { rel: 2 ** -21, abs: 0, why: "WGSL allows 2.5 ULP for division" },
  { range: [0.4, 3] },
);

/** Oracle of pow. */
export const powCases = binaryCases(
  "pow",
  (a, b) => a ** b,
  { rel: 1e-5, abs: 0, why: "exp2(b · log2 a): log2 to 3 ULP or 2⁻²¹, times b, then exp2" },
  {
    samples: broadcastSamples([-2, 2]).map(({ inputs: [a, b] }) => ({
      inputs: [a ? { ...a, range: [0.3, 3] } : null, b ?? null],
    })),
  },
);

const EXACT = { rel: 0, abs: 0, why: "one of the operands, 0 or 1" };

/** Whole numbers that tie, larger and smaller. */
const tied: Sample = {
  inputs: [
    { shape: [5], values: [1, 2, 3, -1, 0] },
    { shape: [5], values: [1, 3, 2, -1, 0] },
  ],
  gradient: false,
};
const withTies = [...broadcastSamples(), tied];

/** Oracle of maximum. */
export const maximumCases = binaryCases("maximum", Math.max, EXACT, { samples: withTies });
/** Oracle of minimum. */
export const minimumCases = binaryCases("minimum", Math.min, EXACT, { samples: withTies });
/** Oracle of greater. */
export const greaterCases = binaryCases("greater", (a, b) => Number(a > b), EXACT, {
  samples: withTies,
});
/** Oracle of greaterEqual. */
export const greaterEqualCases = binaryCases("greaterEqual", (a, b) => Number(a >= b), EXACT, {
  samples: withTies,
});
/** Oracle of equal. */
export const equalCases = binaryCases("equal", (a, b) => Number(a === b), EXACT, {
  samples: withTies,
});
