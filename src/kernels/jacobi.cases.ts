/** Oracle of a Jacobi round. Never imported by the library. */
import { at } from "../util/shape.ts";
import type { Array64, InputSpec, OpCases } from "./case.ts";

/** The round's pairs by the circle method, spelled out. */
export function tournament(count: number, round: number): [number, number][] {
  const circle = (count - 1) | 1;
  const pairs: [number, number][] = [];
  for (let pair = 0; pair <= circle >> 1; pair++) {
    const one = (round + pair) % circle;
    const other = pair === 0 ? circle : (round + circle - pair) % circle;
    if (Math.max(one, other) < count) pairs.push([Math.min(one, other), Math.max(one, other)]);
    else pairs.push([-1, -1]);
  }
  return pairs;
}

function combine(
  { data }: Array64,
  length: number,
  [p, q]: readonly [number, number],
  [c, s]: readonly [number, number],
): void {
  for (let i = 0; i < length; i++) {
    const [x, y] = [at(data, p * length + i), at(data, q * length + i)];
    data[p * length + i] = c * x - s * y;
    data[q * length + i] = s * x + c * y;
  }
}

function rotate64(
  rows: Array64,
  turns: Array64,
  worst: Array64,
  round: number,
): [Array64, Array64, Array64] {
  const [count, length] = [at(rows.shape, 0), at(rows.shape, 1)];
  const copy = ({ shape, data }: Array64): Array64 => ({ shape, data: data.slice() });
  const results: [Array64, Array64, Array64] = [copy(rows), copy(turns), copy(worst)];
  tournament(count, round).forEach(([p, q], pair) => {
    if (p < 0) return;
    let [alpha, beta, gamma] = [0, 0, 0];
    for (let i = 0; i < length; i++) {
      const [x, y] = [at(rows.data, p * length + i), at(rows.data, q * length + i)];
      alpha += x * x;
      beta += y * y;
      gamma += x * y;
    }
    // The angle that diagonalises [[α, γ], [γ, β]], between −45° and 45°: another way than the shader's.
    const angle = gamma === 0 || alpha * beta === 0 ? 0 : Math.atan2(2 * gamma, beta - alpha) / 2;
    const small = Math.abs(angle) > Math.PI / 4 ? angle - Math.sign(angle) * (Math.PI / 2) : angle;
    const [c, s] = [Math.cos(small), Math.sin(small)];
    for (const [array, size] of [
      [results[0], length],
      [results[1], count],
    ] as const) {
      combine(array, size, [p, q], [c, s]);
    }
    if (alpha * beta > 0)
      results[2].data[pair] = Math.max(
        at(worst.data, pair),
        Math.abs(gamma) / Math.sqrt(alpha * beta),
      );
  });
  return results;
}

const inputs = (count: number, length: number): InputSpec[] => [
  { shape: [count, length] },
  { shape: [count, count] },
  { shape: [Math.max(1, Math.ceil(count / 2))], range: [0, 0.1] },
];

/** Oracle of jacobiRotate. */
export const jacobiRotateCases: OpCases = {
  reference: ([rows, turns, worst], attrs) =>
    rows && turns && worst ? rotate64(rows, turns, worst, Number(attrs["round"])) : [],
  scale: ([rows, turns, worst]) =>
    [rows, turns, worst].flatMap((input) =>
      input ? [{ shape: input.shape, data: input.data.map(() => 1) }] : [],
    ),
  samples: [
    { inputs: inputs(2, 5), attrs: { round: 0 } },
    { inputs: inputs(7, 9), attrs: { round: 3 } },
    { inputs: inputs(8, 70), attrs: { round: 6 } },
    { inputs: inputs(1, 3), attrs: { round: 0 } },
    { inputs: inputs(37, 130), attrs: { round: 11 } },
  ],
  extremes: [
    // A zero row: nothing to rotate.
    {
      inputs: [
        { shape: [2, 3], values: [0, 0, 0, 1, 2, 3] },
        { shape: [2, 2], values: [1, 0, 0, 1] },
        { shape: [1], values: [0] },
      ],
      attrs: { round: 0 },
    },
    // Lengths 1e15 apart.
    {
      inputs: [
        { shape: [2, 2], values: [1, 0.5, 1e-15, 2e-15] },
        { shape: [2, 2], values: [1, 0, 0, 1] },
        { shape: [1], values: [0] },
      ],
      attrs: { round: 0 },
    },
  ],
  errors: [
    {
      inputs: [{ shape: [3, 4] }, { shape: [3, 4] }, { shape: [2] }],
      throws: /jacobiRotate: turns must be \[count, count\]; got rows \[3, 4\], turns \[3, 4\]/,
    },
    {
      inputs: [{ shape: [3, 4] }, { shape: [3, 3] }, { shape: [3] }],
      throws: /jacobiRotate: worst must be \[pairs\]; got rows \[3, 4\], worst \[3\]/,
    },
    { inputs: [{ shape: [3] }, { shape: [3, 3] }, { shape: [2] }], throws: /rows must be \[count/ },
  ],
  tolerance: {
    rel: 4e-6,
    abs: 0,
    why: "the angle follows from sums of 130 products; elements are at most 1, times √2",
  },
  bench: [{ inputs: inputs(256, 256), attrs: { round: 0 } }],
};
