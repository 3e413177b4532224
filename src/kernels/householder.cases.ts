/** Oracles of the tridiagonalisation's steps. Never imported by the library. */
import { at } from "../util/shape.ts";
import type { Array64, InputSpec, OpCases } from "./case.ts";

const columnOf = (attrs: Readonly<Record<string, unknown>>): number => Number(attrs["column"]);

/** w of the reflector before column k, and whether there is one. */
function previous(p: Array64, v: Array64, tau: number, k: number): Float64Array {
  const size = p.data.length;
  const w = new Float64Array(size);
  if (k === 0) return w;
  const old = v.data.subarray((k - 1) * size, k * size);
  let dot = 0;
  for (let i = k; i < size; i++) dot += at(p.data, i) * at(old, i);
  for (let i = k; i < size; i++) w[i] = tau * at(p.data, i) - 0.5 * tau * tau * dot * at(old, i);
  return w;
}

/** Column k from row k on, after the rank-2 update. */
function updatedColumn(a: Array64, v: Array64, w: Float64Array, k: number): Float64Array {
  const size = w.length;
  const old = Math.max(k - 1, 0) * size;
  return Float64Array.from({ length: size - k }, (_, n) => {
    const i = k + n;
    return (
      at(a.data, k * size + i) - at(v.data, old + i) * at(w, k) - at(w, i) * at(v.data, old + k)
    );
  });
}

type Five = readonly [Array64, Array64, Array64, Array64, Array64];
const isFive = (inputs: readonly (Array64 | null)[]): inputs is Five =>
  inputs.length === 5 && inputs.every((input) => input !== null);

function reflect64([a, p, v, w, tri]: Five, k: number): [Array64, Array64, Array64] {
  const size = p.data.length;
  const fresh = { shape: v.shape, data: v.data.slice() };
  const weights = { shape: w.shape, data: w.data.slice() };
  const parts = { shape: tri.shape, data: tri.data.slice() };
  const made = previous(p, v, at(tri.data, 2 * size + Math.max(k - 1, 0)), k);
  weights.data.set(made.subarray(k), k);
  const [d = 0, alpha = 0, ...rest] = updatedColumn(a, v, made, k);
  parts.data[k] = d;
  if (k + 1 >= size) return [fresh, weights, parts];
  const tail = Math.hypot(...rest);
  const beta = tail === 0 ? alpha : (alpha < 0 ? 1 : -1) * Math.hypot(alpha, tail);
  parts.data[size + k] = beta;
  parts.data[2 * size + k] = tail === 0 ? 0 : (beta - alpha) / beta;
  fresh.data[k * size + k + 1] = tail === 0 ? 0 : 1;
  rest.forEach((x, n) => {
    fresh.data[k * size + k + 2 + n] = tail === 0 ? 0 : x / (alpha - beta);
  });
  return [fresh, weights, parts];
}

/** Vectors of the state at a size: matrix or reflectors, vector, tri. */
const square = (size: number, range?: readonly [number, number]): InputSpec => ({
  shape: [size, size],
  ...(range ? { range } : {}),
});
const line = (size: number): InputSpec => ({ shape: [size] });
const reflectInputs = (size: number): InputSpec[] => [
  square(size),
  line(size),
  square(size),
  line(size),
  { shape: [3, size] },
];

/** Oracle of householderReflect. */
export const householderReflectCases: OpCases = {
  reference: (inputs, attrs) => (isFive(inputs) ? reflect64(inputs, columnOf(attrs)) : []),
  // Every element is a sum of a few products of numbers up to about 1, times up to `size` terms.
  scale(inputs, attrs) {
    const results = isFive(inputs) ? reflect64(inputs, columnOf(attrs)) : [];
    return results.map(({ shape, data }) => ({
      shape,
      data: data.map((value) => Math.abs(value) + Math.sqrt(data.length)),
    }));
  },
  samples: [
    { inputs: reflectInputs(7), attrs: { column: 3 } },
    { inputs: reflectInputs(7), attrs: { column: 6 } },
    { inputs: reflectInputs(1), attrs: { column: 0 } },
    { inputs: reflectInputs(67), attrs: { column: 1 } },
  ],
  extremes: [
    // A column that is already reduced: no reflector.
    {
      inputs: [
        { shape: [3, 3], values: [1, 5, 0, 5, 2, 0, 0, 0, 3] },
        { shape: [3], values: [0, 0, 0] },
        { shape: [3, 3], values: [0, 0, 0, 0, 0, 0, 0, 0, 0] },
        { shape: [3], values: [0, 0, 0] },
        { shape: [3, 3], values: [0, 0, 0, 0, 0, 0, 0, 0, 0] },
      ],
      attrs: { column: 0 },
    },
  ],
  errors: [
    {
      inputs: [square(3), line(4), square(3), line(3), { shape: [3, 3] }],
      throws: /householderReflect: p must be \[3\]; got a \[3, 3\], p \[4\]/,
    },
    { inputs: reflectInputs(3), attrs: { column: 3 }, throws: /column 3 does not exist/ },
    {
      inputs: [{ shape: [2, 3] }, line(2), square(2), line(2), { shape: [3, 2] }],
      throws: /householderReflect: a must be square and not empty; got a \[2, 3\]/,
    },
  ],
  tolerance: { rel: 1e-6, abs: 0, why: "sums of up to 67 products of numbers around 1" },
};

function update64(a: Array64, v: Array64, w: Array64, p: Array64, k: number): [Array64, Array64] {
  const size = p.data.length;
  const old = Math.max(k - 1, 0) * size;
  const after = { shape: a.shape, data: a.data.slice() };
  const product = { shape: p.shape, data: p.data.slice() };
  for (let i = k + 1; i < size; i++) {
    let sum = 0;
    for (let j = k + 1; j < size; j++) {
      const value =
        at(a.data, i * size + j) -
        at(v.data, old + i) * at(w.data, j) -
        at(w.data, i) * at(v.data, old + j);
      after.data[i * size + j] = value;
      sum += value * at(v.data, k * size + j);
    }
    product.data[i] = sum;
  }
  return [after, product];
}

/** Oracle of householderUpdate. */
export const householderUpdateCases: OpCases = {
  reference: ([a, v, w, p], attrs) =>
    a && v && w && p ? update64(a, v, w, p, columnOf(attrs)) : [],
  scale: ([a, , , p]) =>
    a && p
      ? [
          { shape: a.shape, data: a.data.map(() => 3) },
          { shape: p.shape, data: p.data.map(() => 3 * p.data.length) },
        ]
      : [],
  samples: [
    { inputs: [square(7), square(7), line(7), line(7)], attrs: { column: 2 } },
    { inputs: [square(7), square(7), line(7), line(7)], attrs: { column: 6 } },
    { inputs: [square(1), square(1), line(1), line(1)], attrs: { column: 0 } },
    { inputs: [square(67), square(67), line(67), line(67)], attrs: { column: 1 } },
    { inputs: [square(67), square(67), line(67), line(67)], attrs: { column: 32 } },
  ],
  errors: [
    {
      inputs: [square(3), square(4), line(3), line(3)],
      throws: /householderUpdate: v must be \[3, 3\]; got a \[3, 3\], v \[4, 4\]/,
    },
  ],
  tolerance: { rel: 1e-6, abs: 0, why: "three terms up to 1, and a sum of up to 67 of them" },
  bench: [{ inputs: [square(768), square(768), line(768), line(768)], attrs: { column: 0 } }],
};

/** A symmetric matrix with a heavy diagonal: its reduction is no harder than a step of it. */
const heavy = (size: number): InputSpec => ({
  shape: [size, size],
  values: Array.from({ length: size * size }, (_, index) => {
    const [row, column] = [Math.floor(index / size), index % size];
    const [low, high] = [Math.min(row, column), Math.max(row, column)];
    return Math.sin(1 + low + 3 * high + low * high) + (row === column ? 1 + row : 0);
  }),
});

function tail64(five: Five, column: number): Array64[] {
  let [a, p, v, w, tri] = five;
  for (let k = column; k < p.data.length; k++) {
    [v, w, tri] = reflect64([a, p, v, w, tri], k);
    [a, p] = update64(a, v, w, p, k);
  }
  return [a, p, v, w, tri];
}

/** Oracle of householderTail. */
export const householderTailCases: OpCases = {
  reference: (inputs, attrs) => (isFive(inputs) ? tail64(inputs, columnOf(attrs)) : []),
  scale: (inputs, attrs) =>
    (isFive(inputs) ? tail64(inputs, columnOf(attrs)) : []).map(({ shape, data }) => {
      const largest = data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
      return { shape, data: data.map(() => largest) };
    }),
  samples: [
    { inputs: [heavy(7), ...reflectInputs(7).slice(1)], attrs: { column: 0 } },
    { inputs: [heavy(9), ...reflectInputs(9).slice(1)], attrs: { column: 5 } },
    { inputs: reflectInputs(1), attrs: { column: 0 } },
    { inputs: [heavy(67), ...reflectInputs(67).slice(1)], attrs: { column: 63 } },
    { inputs: [heavy(140), ...reflectInputs(140).slice(1)], attrs: { column: 138 } },
  ],
  errors: [
    {
      inputs: [square(3), line(4), square(3), line(3), { shape: [3, 3] }],
      throws: /householderTail: p must be \[3\]; got a \[3, 3\], p \[4\]/,
    },
    {
      inputs: reflectInputs(130),
      attrs: { column: 1 },
      throws: /householderTail: more than 128 columns are left after 1; got a \[130, 130\]/,
    },
  ],
  tolerance: { rel: 2e-5, abs: 0, why: "up to 7 steps, each with sums over what is left" },
  bench: [{ inputs: [heavy(128), ...reflectInputs(128).slice(1)], attrs: { column: 0 } }],
};
