/** Oracles of the steps of a block Jacobi. Never imported by the library. */
import { JACOBI_SIDE } from "../util/blocks.ts";
import { at, sizeOf } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { InputSpec, OpCases } from "./case.ts";
import { build, given, pick } from "./reference64.ts";

const SIDE = JACOBI_SIDE;

/** The pairs of a round by the circle method, spelled out. */
function tournament(round: number): [number, number][] {
  const circle = SIDE - 1;
  return Array.from({ length: SIDE / 2 }, (_, pair) => {
    const one = (round + pair) % circle;
    const other = pair === 0 ? circle : (round + circle - pair) % circle;
    return [Math.min(one, other), Math.max(one, other)];
  });
}

/** Rows p and q of a matrix [32, 32], or its columns with `step` 32, turned by an angle. */
function turn(
  matrix: Float64Array,
  [p, q]: readonly [number, number],
  angle: number,
  [line, step]: readonly [number, number],
): void {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  for (let k = 0; k < SIDE; k++) {
    const [first, second] = [p * line + k * step, q * line + k * step];
    const [x, y] = [at(matrix, first), at(matrix, second)];
    matrix[first] = c * x - s * y;
    matrix[second] = s * x + c * y;
  }
}

/** T − I, by the angle that diagonalises [[α, γ], [γ, β]]: another way than the shader's. */
function changeOf(gram: Float64Array, sweeps: number): Float64Array {
  const turns = Float64Array.from(gram, (_, index) => Number(index % (SIDE + 1) === 0));
  for (let step = 0; step < sweeps * (SIDE - 1); step++)
    for (const [p, q] of tournament(step % (SIDE - 1))) {
      const [alpha, beta] = [at(gram, p * (SIDE + 1)), at(gram, q * (SIDE + 1))];
      const gamma = at(gram, p * SIDE + q);
      if (Math.abs(gamma) <= 2 ** -23 * Math.sqrt(alpha * beta)) continue;
      const angle = Math.atan2(2 * gamma, beta - alpha) / 2;
      const small =
        Math.abs(angle) > Math.PI / 4 ? angle - Math.sign(angle) * (Math.PI / 2) : angle;
      turn(gram, [p, q], small, [SIDE, 1]);
      turn(gram, [p, q], small, [1, SIDE]);
      turn(turns, [p, q], small, [SIDE, 1]);
    }
  return turns.map((value, index) => value - Number(index % (SIDE + 1) === 0));
}

/** D (I + weak symmetric mixing) D for each matrix, with D[k] = grade^k: positive definite. */
const mixed = (count: number, mixing: number, grade: number): InputSpec => ({
  shape: [count, SIDE, SIDE],
  values: Array.from({ length: count * SIDE * SIDE }, (_, index) => {
    const row = Math.floor(index / SIDE) % SIDE;
    const col = index % SIDE;
    const [low, high] = [Math.min(row, col), Math.max(row, col)];
    const noise = Math.sin(1 + index - (index % (SIDE * SIDE)) + 7.3 * low + 3.1 * low * high);
    const element = low === high ? 1 + low / 8 : mixing * noise;
    return element * grade ** (low + high);
  }),
});

/** Oracle of jacobiTurn. */
export const jacobiTurnCases: OpCases = {
  reference(inputs, { sweeps }) {
    const { shape, data } = given(inputs, 0);
    const square = SIDE * SIDE;
    const change = Array.from({ length: at(shape, 0) }, (_, k) =>
      Array.from(changeOf(data.slice(k * square, (k + 1) * square), Number(sweeps ?? 6))),
    );
    return [array64(shape, change.flat())];
  },
  scale: (inputs) => [build(given(inputs, 0).shape, () => 1)],
  samples: [
    { inputs: [mixed(1, 0.02, 1)], attrs: { sweeps: 6 } },
    { inputs: [mixed(3, 0.05, 0.9)], attrs: { sweeps: 1 } },
    { inputs: [mixed(2, 0.1, 0.5)], attrs: { sweeps: 4 } },
  ],
  extremes: [
    // Zero rows, and one that is nearly parallel to another.
    {
      inputs: [
        {
          shape: [1, SIDE, SIDE],
          values: Array.from({ length: SIDE * SIDE }, (_, index) => {
            const [row, col] = [Math.floor(index / SIDE), index % SIDE];
            if (row > 2 || col > 2) return 0;
            return row === col ? 1 + row : row + col === 1 ? 0.999 : 0;
          }),
        },
      ],
    },
  ],
  errors: [
    {
      inputs: [{ shape: [SIDE, SIDE] }],
      throws: /jacobiTurn: gram must be \[P, 32, 32\]; got gram \[32, 32\]/,
    },
    { inputs: [{ shape: [2, SIDE, 8] }], throws: /gram must be \[P, 32, 32\]/ },
    { inputs: [mixed(1, 0, 1)], attrs: { sweeps: 0 }, throws: /sweeps is 0, not a count/ },
  ],
  tolerance: {
    rel: 2e-6,
    abs: 0,
    why: "some hundred turns of elements at most 1, whose angles follow from rounded products",
  },
  bench: [{ inputs: [mixed(8, 0.1, 0.9)] }],
};

const indices = (...values: number[]): InputSpec => ({
  shape: [values.length],
  dtype: "i32",
  values,
});

/** Oracle of addRows. */
export const addRowsCases: OpCases = {
  reference(inputs) {
    const [table, chosen, change] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const cols = sizeOf(table.shape.slice(1));
    return [
      build(table.shape, (place) => {
        const index = chosen.data.indexOf(at(place, 0));
        const within = place.reduce((sum, c, axis) => sum * at(table.shape, axis) + c, 0) % cols;
        return pick(table, place) + (index < 0 ? 0 : at(change.data, index * cols + within));
      }),
    ];
  },
  samples: [
    { inputs: [{ shape: [5, 3] }, indices(4, 0), { shape: [2, 3] }] },
    { inputs: [{ shape: [6, 8] }, indices(1, 9, 3, -1, 2), { shape: [5, 8] }] },
    { inputs: [{ shape: [90, 4] }, indices(...Array(80).keys()), { shape: [80, 4] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [5, 3] }, indices(1, 2), { shape: [3, 3] }],
      throws: /addRows: change must be one row of table per index; got table \[5, 3\]/,
    },
    {
      inputs: [{ shape: [5, 3] }, { shape: [1] }, { shape: [1, 3] }],
      throws: /addRows: indices must be i32, not f32/,
    },
  ],
  tolerance: { rel: 2e-7, abs: 2 ** -126, why: "one rounding of a sum" },
  bench: [
    { inputs: [{ shape: [768, 768] }, indices(...Array(512).keys()), { shape: [512, 768] }] },
  ],
};
