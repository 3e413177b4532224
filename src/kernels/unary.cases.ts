/** Oracles of the unary table's ops and of unaryBackward. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases, Sample } from "./case.ts";
import { given } from "./reference64.ts";
import { isUnaryName, unaryRows } from "./unary.table.ts";
import type { UnaryName, UnaryRow } from "./unary.table.ts";

const RANGE = [-4, 4] as const;

function casesOf(name: string, row: UnaryRow): OpCases {
  const range = row.range ?? RANGE;
  const { extremes } = row;
  return {
    reference: (inputs) => {
      const x = given(inputs, 0);
      return [
        array64(
          x.shape,
          x.data.map((value) => row.reference(value)),
        ),
      ];
    },
    samples: [
      { inputs: [{ shape: [4, 64], range }] },
      { inputs: [{ shape: [3, 5, 7], range }] },
      { inputs: [{ shape: [4, 64], range, dtype: "f16" }] },
      { inputs: [{ shape: [3, 5, 7], range, dtype: "f16" }] },
    ],
    ...(extremes && { extremes: [{ inputs: [{ shape: [extremes.length], values: extremes }] }] }),
    errors: [
      {
        inputs: [{ shape: [2], dtype: "i32" }],
        throws: new RegExp(`${name}: x must be f32 or f16, not i32; use cast; got x \\[2\\]`),
      },
    ],
    tolerance: row.tolerance,
    bench: [{ inputs: [{ shape: [64, 50, 768], range }] }],
  };
}

/** The oracle of each row. */
// The loop loses the keys; the type states them again, from the same table.
export const unaryCases = Object.fromEntries(
  Object.entries(unaryRows).map(([name, row]) => [name, casesOf(name, row)]),
) as Readonly<Record<UnaryName, OpCases>>;

/** f′(x) by central differences of the float64 reference, extrapolated once: good to 1e-10. */
function slope64(row: UnaryRow, x: number): number {
  const difference = (h: number): number => (row.reference(x + h) - row.reference(x - h)) / (2 * h);
  const h = 1e-4 * Math.max(0.1, Math.abs(x));
  return (4 * difference(h / 2) - difference(h)) / 3;
}

const rowOf = (of: unknown): UnaryRow | null =>
  typeof of === "string" && isUnaryName(of) ? unaryRows[of] : null;

/** Oracle of unaryBackward. */
export const unaryBackwardCases: OpCases = {
  reference(inputs, { of }) {
    const [g, x, row] = [given(inputs, 0), given(inputs, 1), rowOf(of)];
    if (!row) return [];
    return [
      array64(
        x.shape,
        x.data.map((value, k) => at(g.data, k) * slope64(row, value)),
      ),
    ];
  },
  scale: (inputs) => [given(inputs, 0)],
  samples: Object.entries(unaryRows).flatMap(([of, { range = RANGE }]): Sample[] => [
    { inputs: [{ shape: [5, 13] }, { shape: [5, 13], range }], attrs: { of } },
    { inputs: [{ shape: [64] }, { shape: [64], range }], attrs: { of } },
    { inputs: [{ shape: [5, 13] }, { shape: [5, 13], range, dtype: "f16" }], attrs: { of } },
    { inputs: [{ shape: [64] }, { shape: [64], range, dtype: "f16" }], attrs: { of } },
  ]),
  errors: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [2, 4] }],
      attrs: { of: "gelu" },
      throws: /unaryBackward: g and x must have one shape; got g \[2, 3\], x \[2, 4\]/,
    },
    {
      inputs: [{ shape: [2], dtype: "f16" }, { shape: [2] }],
      attrs: { of: "gelu" },
      throws: /unaryBackward: g must not be f16; use cast; got g \[2\]/,
    },
    {
      inputs: [{ shape: [2] }, { shape: [2] }],
      attrs: { of: "fish" },
      throws: /unaryBackward: there is no unary op "fish"/,
    },
  ],
  tolerance: { rel: 1e-4, abs: 1e-6, why: "slopes up to 100 (log, reciprocal near 0.1), of |g|" },
  bench: [{ inputs: [{ shape: [64, 50, 768] }, { shape: [64, 50, 768] }], attrs: { of: "gelu" } }],
};
