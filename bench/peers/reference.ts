/** The ops in float64, as plain loops: what every engine's result is held against. */
import { normalCdf64 } from "../../src/kernels/erf64.ts";
import { at, sizeOf, stridesOf } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { EPSILON, output } from "./graph.ts";
import type { GraphOps } from "./graph.ts";
import type { HostInput, Work } from "./works.ts";

/** A float64 array with a shape. */
interface Array64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

const zeros = (shape: Shape): Array64 => ({ shape, data: new Float64Array(sizeOf(shape)) });

const map = ({ shape, data }: Array64, f: (value: number) => number): Array64 => ({
  shape,
  data: data.map(f),
});

/** y[m, n] += Σ a[m, k] · b[k, n], at offsets into the three arrays. */
function accumulate(
  [a, b, y]: readonly [Float64Array, Float64Array, Float64Array],
  [m, k, n]: readonly [number, number, number],
  [atA, atB, atY]: readonly [number, number, number],
): void {
  for (let row = 0; row < m; row++)
    for (let inner = 0; inner < k; inner++) {
      const factor = a[atA + row * k + inner] ?? Number.NaN;
      for (let column = 0; column < n; column++) {
        const target = atY + row * n + column;
        y[target] = (y[target] ?? 0) + factor * (b[atB + inner * n + column] ?? Number.NaN);
      }
    }
}

function product(a: Array64, b: Array64): Array64 {
  const [m, k, n] = [
    at(a.shape, a.shape.length - 2),
    at(b.shape, b.shape.length - 2),
    at(b.shape, b.shape.length - 1),
  ];
  const y = zeros([...a.shape.slice(0, -1), n]);
  const batches = sizeOf(a.shape.slice(0, -2));
  for (let batch = 0; batch < batches; batch++)
    accumulate([a.data, b.data, y.data], [m, k, n], [batch * m * k, batch * k * n, batch * m * n]);
  return y;
}

/** Each row of the last axis through f, which writes its result. */
function rows(x: Array64, f: (row: Float64Array) => Float64Array): Array64 {
  const width = at(x.shape, x.shape.length - 1);
  const y = zeros(x.shape);
  for (let start = 0; start < x.data.length; start += width)
    y.data.set(f(x.data.subarray(start, start + width)), start);
  return y;
}

function softmaxRow(row: Float64Array): Float64Array {
  const largest = row.reduce((top, value) => Math.max(top, value), Number.NEGATIVE_INFINITY);
  const powers = row.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

function normRow(row: Float64Array): Float64Array {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value) => (value - mean) / Math.sqrt(variance + EPSILON));
}

/** An array of `shape` whose element i is x's element `from(coordinates of i)`. */
function gather(x: Array64, shape: Shape, from: (place: readonly number[]) => number): Array64 {
  const strides = stridesOf(shape);
  const y = zeros(shape);
  for (let index = 0; index < y.data.length; index++) {
    const place = shape.map((size, axis) => Math.floor(index / at(strides, axis)) % size);
    y.data[index] = at(x.data, from(place));
  }
  return y;
}

/** Index of coordinates, which count 0 along axes of size 1. */
const place64 = (place: readonly number[], shape: Shape): number =>
  shape.reduce((index, size, axis) => index * size + (size === 1 ? 0 : at(place, axis)), 0);

function transposed(x: Array64, order: readonly number[]): Array64 {
  const strides = stridesOf(x.shape);
  return gather(
    x,
    order.map((axis) => at(x.shape, axis)),
    (place) => order.reduce((sum, axis, to) => sum + at(strides, axis) * at(place, to), 0),
  );
}

const plus = (a: Array64, b: Array64): Array64 => {
  const spread =
    sizeOf(b.shape) === sizeOf(a.shape) ? b : gather(b, a.shape, (p) => place64(p, b.shape));
  return { shape: a.shape, data: a.data.map((value, index) => value + at(spread.data, index)) };
};

/** The last axis of y times or plus a vector. */
const alongRows = (y: Array64, vector: Array64, f: (y: number, v: number) => number): Array64 => ({
  shape: y.shape,
  data: y.data.map((value, index) => f(value, at(vector.data, index % vector.data.length))),
});

const swapLast = ({ shape }: Array64): number[] => {
  const axes = shape.map((_, axis) => axis);
  return [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
};

const ops64: GraphOps<Array64> = {
  matmul: (a, b, transposeB = false) => product(a, transposeB ? transposed(b, swapLast(b)) : b),
  linear(x, weight, bias) {
    const width = at(x.shape, x.shape.length - 1);
    const flat = product({ shape: [sizeOf(x.shape) / width, width], data: x.data }, weight);
    const shape = [...x.shape.slice(0, -1), at(weight.shape, 1)];
    return alongRows({ shape, data: flat.data }, bias, (y, b) => y + b);
  },
  add: plus,
  scale: (x, factor) => map(x, (value) => value * factor),
  softmax: (x) => rows(x, softmaxRow),
  layernorm: (x, weight, bias) =>
    alongRows(
      alongRows(rows(x, normRow), weight, (y, w) => y * w),
      bias,
      (y, b) => y + b,
    ),
  gelu: (x) => map(x, (value) => value * normalCdf64(value)),
  reshape: ({ data }, shape) => ({ shape, data }),
  transpose: transposed,
  slice: (x, { axis, start, end }) =>
    gather(
      x,
      x.shape.map((size, index) => (index === axis ? end - start : size)),
      (place) =>
        place64(
          place.map((c, index) => (index === axis ? c + start : c)),
          x.shape,
        ),
    ),
  concat(a, b, axis) {
    const edge = at(a.shape, axis);
    const joined = { shape: [0], data: Float64Array.from([...a.data, ...b.data]) };
    const shape = a.shape.map((size, k) => (k === axis ? size + at(b.shape, k) : size));
    return gather(joined, shape, (place) => {
      const along = at(place, axis);
      if (along < edge) return place64(place, a.shape);
      const inB = place.map((value, k) => (k === axis ? along - edge : value));
      return a.data.length + place64(inB, b.shape);
    });
  },
  repeat: (x, count) =>
    gather(x, [count, ...x.shape.slice(1)], ([, ...place]) => place64([0, ...place], x.shape)),
};

/** A graph's output in float64. */
export const reference64 = (
  work: Work,
  inputs: Readonly<Record<string, HostInput>>,
): Float64Array =>
  output(ops64, work, (name) => {
    const input = inputs[name];
    if (!input) throw new RangeError(`${work.name} has no input ${name}`);
    return { shape: input.shape, data: Float64Array.from(input.values) };
  }).data;
