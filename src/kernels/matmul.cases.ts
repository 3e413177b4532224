/** Oracle of matmul. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, OpCases, Sample } from "./case.ts";

/** One matrix of a batch: its element at (row along m or n, term along k). */
type Reader = (batch: number, outer: number, term: number) => number;

function reader({ shape, data }: Array64, isTermLast: boolean): Reader {
  const outers = at(shape, isTermLast ? -2 : -1);
  const terms = at(shape, isTermLast ? -1 : -2);
  return (batch, outer, term) =>
    at(
      data,
      (shape.length > 2 ? batch * outers * terms : 0) +
        (isTermLast ? outer * terms + term : term * outers + outer),
    );
}

/** Σ_k f(a[m, k] · b[k, n]) + f(bias[n]), f being the identity or the absolute value. */
function product64(
  [a, b, bias]: readonly (Array64 | null)[],
  { transposeA, transposeB }: Readonly<Record<string, unknown>>,
  f: (value: number) => number,
): Array64[] {
  if (!a || !b) return [];
  const k = at(a.shape, transposeA ? -2 : -1);
  const left = reader(a, !transposeA);
  const right = reader(b, Boolean(transposeB));
  const rows = at(a.shape, transposeA ? -1 : -2);
  const cols = at(b.shape, transposeB ? -2 : -1);
  const y = array64([...(a.shape.length > 2 ? a.shape : b.shape).slice(0, -2), rows, cols]);
  y.data.forEach((_, index) => {
    const batch = Math.floor(index / (rows * cols));
    const row = Math.floor(index / cols) % rows;
    const col = index % cols;
    let sum = bias ? f(at(bias.data, col)) : 0;
    for (let term = 0; term < k; term++) sum += f(left(batch, row, term) * right(batch, col, term));
    y.data[index] = sum;
  });
  return [y];
}

const TRANSPOSES = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
] as const;

/** a and b of a product of m × k by k × n, stored as the attributes say. */
function operands(batch: readonly number[], [m, k, n]: readonly [number, number, number]) {
  return TRANSPOSES.map((attrs) => ({
    inputs: [
      { shape: [...batch, ...(attrs.transposeA ? [k, m] : [m, k])] },
      { shape: [...batch, ...(attrs.transposeB ? [n, k] : [k, n])] },
    ],
    attrs,
  }));
}

/** The same call with a and b in f16. */
const inHalf = ({ inputs, ...call }: Sample): Sample => ({
  ...call,
  inputs: inputs.map((spec, index) => (spec && index < 2 ? { ...spec, dtype: "f16" } : spec)),
});

/** What both element types are multiplied on. */
const SAMPLES: readonly Sample[] = [
  ...operands([], [5, 7, 6]),
  ...operands([], [18, 9, 68]), // whole vectors past 64 columns, in a part of the larger tile below
  ...operands([2], [3, 4, 5]),
  { inputs: [{ shape: [1, 1] }, { shape: [1, 1] }, { shape: [1] }] },
  { inputs: [{ shape: [2, 1] }, { shape: [1, 4] }] }, // b in f16 has fewer bytes than a vec4f
  { inputs: [{ shape: [3, 5] }, { shape: [5, 4] }, { shape: [4] }] },
  { inputs: [{ shape: [2, 9, 3] }, { shape: [3, 10] }, { shape: [10] }] }, // b shared: more rows
  { inputs: [{ shape: [2, 3, 9] }, { shape: [3, 4] }], attrs: { transposeA: true } }, // b shared
  { inputs: [{ shape: [4, 3] }, { shape: [2, 2, 3, 5] }] }, // a shared by two batch axes
  { inputs: [{ shape: [4, 3] }, { shape: [2, 5, 3] }], attrs: { transposeB: true } },
  { inputs: [{ shape: [130, 6] }, { shape: [8, 6] }], attrs: { transposeB: true } }, // b copied
  { inputs: [{ shape: [2, 128, 3] }, { shape: [2, 4, 3] }], attrs: { transposeB: true } },
  { inputs: [{ shape: [600, 5] }, { shape: [600, 8] }], attrs: { transposeA: true } }, // split sum
  { inputs: [{ shape: [65, 33] }, { shape: [33, 130] }] }, // past the tile of the workgroup kernel
];

/**
 * Around the tiles of the broadcast kernel, which have 16 rows for at most 16 and else 32, by 64
 * columns on subgroups of 8. An even k goes two terms a turn, and a in pairs unless it is transposed.
 */
const BROADCAST_EDGES: readonly Sample[] = [
  { inputs: [{ shape: [15, 8] }, { shape: [8, 63] }, { shape: [63] }] },
  { inputs: [{ shape: [15, 7] }, { shape: [7, 68] }] },
  { inputs: [{ shape: [16, 9] }, { shape: [9, 64] }, { shape: [64] }] },
  { inputs: [{ shape: [17, 8] }, { shape: [8, 65] }] },
  { inputs: [{ shape: [17, 7] }, { shape: [7, 60] }, { shape: [60] }] },
  {
    inputs: [{ shape: [8, 17] }, { shape: [8, 64] }, { shape: [64] }],
    attrs: { transposeA: true },
  },
  { inputs: [{ shape: [17, 2] }, { shape: [63, 2] }], attrs: { transposeB: true } },
  { inputs: [{ shape: [33, 10] }, { shape: [10, 64] }] },
  // More terms than tiles below each other take, several tiles both ways; a bias keeps them whole.
  { inputs: [{ shape: [40, 2056] }, { shape: [2056, 132] }, { shape: [132] }], gradient: false },
];

/**
 * At and around the tiles of the GPU kernels: 128 × 64 and 128 × 128 by 8 terms, 32 × 32 by 32, 8 rows
 * by 128 or 256 columns, and 1 to 4 rows by 16 columns, 256 terms a turn.
 */
const GPU_EDGES: readonly Sample[] = [
  ...operands([], [130, 17, 68]),
  { inputs: [{ shape: [128, 8] }, { shape: [8, 64] }] },
  { inputs: [{ shape: [127, 7] }, { shape: [7, 63] }, { shape: [63] }] },
  { inputs: [{ shape: [8, 16] }, { shape: [16, 128] }, { shape: [128] }] },
  { inputs: [{ shape: [9, 15] }, { shape: [15, 260] }] },
  { inputs: [{ shape: [7, 9] }, { shape: [257, 9] }], attrs: { transposeB: true } },
  { inputs: [{ shape: [129, 9] }, { shape: [9, 132] }, { shape: [132] }] },
  { inputs: [{ shape: [128, 16] }, { shape: [128, 16] }], attrs: { transposeB: true } },
  { inputs: [{ shape: [31, 33] }, { shape: [33, 31] }, { shape: [31] }] },
  { inputs: [{ shape: [32, 32] }, { shape: [32, 32] }] },
  { inputs: [{ shape: [33, 31] }, { shape: [33, 31] }], attrs: { transposeB: true } },
  { inputs: [{ shape: [1, 257] }, { shape: [257, 20] }, { shape: [20] }] },
  {
    inputs: [{ shape: [255, 2] }, { shape: [17, 255] }],
    attrs: { transposeA: true, transposeB: true },
  },
  { inputs: [{ shape: [2, 4, 256] }, { shape: [2, 256, 16] }] },
];

/**
 * Around the tiles on subgroup matrices, of f16: 64 × 64 or, of at least 128 tiles, 128 × 128, by 32
 * terms. Where both sizes of an operand are multiples of 8, it is loaded in chunks of 8.
 */
const MATRIX_EDGES: readonly Sample[] = [
  ...operands([], [72, 40, 80]),
  ...operands([], [65, 33, 67]),
  { inputs: [{ shape: [64, 32] }, { shape: [32, 64] }, { shape: [64] }] },
  { inputs: [{ shape: [2, 8, 16] }, { shape: [16, 24] }, { shape: [24] }] }, // b shared: more rows
  { inputs: [{ shape: [2, 16, 8] }, { shape: [16, 8] }], attrs: { transposeA: true } }, // b shared
  { inputs: [{ shape: [8, 600] }, { shape: [600, 8] }] }, // split sum, its parts not whole turns
  ...operands([64], [136, 40, 8]).map((call) => ({ ...call, gradient: false })),
  { inputs: [{ shape: [64, 3, 37] }, { shape: [64, 37, 131] }], gradient: false },
].map(inHalf);

/** Oracle of matmul. */
export const matmulCases: OpCases = {
  reference: (inputs, attrs) => product64(inputs, attrs, (value) => value),
  scale: (inputs, attrs) => product64(inputs, attrs, Math.abs),
  samples: [
    ...SAMPLES,
    ...BROADCAST_EDGES,
    ...GPU_EDGES,
    ...[...SAMPLES, ...BROADCAST_EDGES].map(inHalf),
    ...MATRIX_EDGES,
  ],
  extremes: [
    {
      inputs: [
        { shape: [2, 2], values: [1e18, 1e18, -1e18, 0] },
        { shape: [2, 1], values: [1e18, 1e18] },
      ],
    },
    { inputs: [{ shape: [1, 3], values: [0, 0, 0] }, { shape: [3, 2] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 7] }, { shape: [8, 3] }],
      throws: /matmul: inner sizes differ; got a \[4, 7\], b \[8, 3\]/,
    },
    {
      inputs: [{ shape: [7] }, { shape: [7, 3] }],
      throws: /matmul: a and b need at least 2 axes; reshape vectors; got a \[7\], b \[7, 3\]/,
    },
    {
      inputs: [{ shape: [2, 4, 7] }, { shape: [3, 7, 4] }],
      throws: /matmul: batch axes differ, and neither operand has 2 axes; got a \[2, 4, 7\]/,
    },
    {
      inputs: [{ shape: [4, 7] }, { shape: [7, 3] }, { shape: [4] }],
      throws: /matmul: bias must be \[3\], the columns of b; got .* bias \[4\]/,
    },
    {
      inputs: [{ shape: [4, 7], dtype: "f16" }, { shape: [7, 3] }],
      throws: /matmul: a is f16 and b f32; use cast; got a \[4, 7\], b \[7, 3\]/,
    },
    {
      inputs: [
        { shape: [4, 7], dtype: "f16" },
        { shape: [7, 3], dtype: "f16" },
        { shape: [3], dtype: "f16" },
      ],
      throws: /matmul: bias must not be f16; use cast; got bias \[3\]/,
    },
    {
      inputs: [{ shape: [4, 7], dtype: "i32" }, { shape: [7, 3] }],
      throws: /matmul: a must be f32 or f16, not i32; use cast/,
    },
  ],
  tolerance: {
    rel: 4e-6,
    abs: 1e-30,
    why: "sums of at most 600 fused terms lose at most 600 half ULP of Σ|a·b|, and in practice √600; products of f16 are exact, and tensor cores, which may cut sums off, add 16 terms at a time",
  },
  bench: [
    { inputs: [{ shape: [512, 512] }, { shape: [512, 512] }] },
    { inputs: [{ shape: [1024, 1024] }, { shape: [1024, 1024] }] },
    inHalf({ inputs: [{ shape: [1024, 1024] }, { shape: [1024, 1024] }] }),
    { inputs: [{ shape: [64, 50, 64] }, { shape: [64, 192] }, { shape: [192] }] },
    { inputs: [{ shape: [64, 50, 64] }, { shape: [64, 256] }, { shape: [256] }] },
    { inputs: [{ shape: [64, 50, 256] }, { shape: [256, 64] }, { shape: [64] }] },
    {
      inputs: [{ shape: [64, 50, 192] }, { shape: [64, 192] }],
      attrs: { transposeB: true },
    },
    { inputs: [{ shape: [3200, 64] }, { shape: [3200, 192] }], attrs: { transposeA: true } },
    { inputs: [{ shape: [197, 768] }, { shape: [768, 3072] }, { shape: [3072] }] },
    { inputs: [{ shape: [197, 3072] }, { shape: [3072, 768] }, { shape: [768] }] },
    { inputs: [{ shape: [394, 384] }, { shape: [384, 384] }, { shape: [384] }] },
    { inputs: [{ shape: [1, 768] }, { shape: [768, 3072] }, { shape: [3072] }] },
    { inputs: [{ shape: [2048, 2048] }, { shape: [2048, 2048] }], only: "gpu" },
    { inputs: [{ shape: [4096, 4096] }, { shape: [4096, 4096] }], only: "gpu" },
    { ...inHalf({ inputs: [{ shape: [2048, 2048] }, { shape: [2048, 2048] }] }), only: "gpu" },
    { ...inHalf({ inputs: [{ shape: [4096, 4096] }, { shape: [4096, 4096] }] }), only: "gpu" },
  ],
};
