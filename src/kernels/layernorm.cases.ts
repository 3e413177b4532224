/** Oracles of layernorm and its backward. Never imported by the library. */
import { at, sizeOf } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, InputSpec, OpCases, Sample } from "./case.ts";
import { asRows } from "./pass.ts";

const absent = array64([]);

function layernorm64(x: Array64, weight: Array64, bias: Array64, eps: number): Array64[] {
  const { rows, cols } = asRows(x.shape);
  const y = array64(x.shape);
  const mean = array64([rows]);
  const rstd = array64([rows]);
  for (let row = 0; row < rows; row++) {
    const line = x.data.subarray(row * cols, (row + 1) * cols);
    const centre = line.reduce((a, b) => a + b, 0) / cols;
    const variance = line.reduce((a, b) => a + (b - centre) ** 2, 0) / cols;
    const scale = 1 / Math.sqrt(variance + eps);
    mean.data[row] = centre;
    rstd.data[row] = scale;
    y.data.set(
      line.map((value, c) => (value - centre) * scale * at(weight.data, c) + at(bias.data, c)),
      row * cols,
    );
  }
  return [y, mean, rstd];
}

/** Σ|terms|: the mean's rounding error grows with |x|, and rstd carries it into y. */
function layernormScale(x: Array64, weight: Array64, bias: Array64, eps: number): Array64[] {
  const { rows, cols } = asRows(x.shape);
  const [y = absent, mean = absent, rstd = absent] = layernorm64(x, weight, bias, eps);
  const scale = array64(y.shape);
  const centre = array64(mean.shape);
  for (let row = 0; row < rows; row++) {
    const line = x.data.subarray(row * cols, (row + 1) * cols);
    const size = line.reduce((a, b) => a + Math.abs(b), 0) / cols;
    centre.data[row] = size;
    for (let c = 0; c < cols; c++)
      scale.data[row * cols + c] =
        (Math.abs(at(line, c)) + size) * at(rstd.data, row) * Math.abs(at(weight.data, c)) +
        Math.abs(at(bias.data, c));
  }
  return [scale, centre, rstd];
}

const epsOf = (attrs: Readonly<Record<string, unknown>>): number =>
  typeof attrs["eps"] === "number" ? attrs["eps"] : NaN;

const sample = (shape: readonly number[], range?: readonly [number, number]): Sample => {
  const vector = { shape: shape.slice(-1) };
  return { inputs: [{ shape, ...(range && { range }) }, vector, vector] };
};

/** x of these values in f32, of weight and bias at random. */
const given = (shape: readonly number[], value: (index: number) => number): Sample => {
  const vector = { shape: shape.slice(-1) };
  const values = Array.from({ length: sizeOf(shape) }, (_, index) => Math.fround(value(index)));
  return { inputs: [{ shape, values }, vector, vector] };
};

/** Oracle of layernorm. */
export const layernormCases: OpCases = {
  reference: ([x, weight, bias], attrs) =>
    layernorm64(x ?? absent, weight ?? absent, bias ?? absent, epsOf(attrs)),
  scale: ([x, weight, bias], attrs) =>
    layernormScale(x ?? absent, weight ?? absent, bias ?? absent, epsOf(attrs)),
  samples: [
    sample([4, 7]),
    sample([3, 1]),
    sample([9]),
    sample([2, 3, 65]),
    sample([5, 257], [-3, 5]),
    sample([17, 64]),
    sample([1, 192]),
    { ...sample([2, 36]), attrs: { eps: 1e-2 } },
    { ...sample([129, 44]), gradient: false },
    { ...sample([2, 1028]), gradient: false },
  ],
  extremes: [
    sample([3, 64], [999, 1001]),
    sample([2, 32], [-1e-4, 1e-4]),
    { inputs: [{ shape: [1, 8], range: [5, 5] }, { shape: [8] }, { shape: [8] }] },
    // The kernel for wide rows takes gaps from the first values: they are far from all others here.
    given([2, 768], (k) => (k % 768 === 0 ? 1e4 : Math.sin(k))),
    given([1, 768], (k) => (k < 64 ? -1e3 : 1e3) + Math.sin(k)),
    given([2, 260], (k) => 3000 + Math.sin(k)),
  ],
  errors: [
    {
      inputs: [{ shape: [8, 197, 192] }, { shape: [256] }, { shape: [192] }],
      throws: /layernorm: weight must match the last axis; got x \[8, 197, 192\], weight \[256\]/,
    },
    {
      inputs: [{ shape: [2, 4] }, { shape: [4] }, { shape: [1, 4] }],
      throws: /layernorm: bias must match the last axis; got x \[2, 4\], bias \[1, 4\]/,
    },
    {
      inputs: [{ shape: [] }, { shape: [1] }, { shape: [1] }],
      throws: /layernorm: x needs at least 1 axis; got x \[\]/,
    },
  ],
  tolerance: {
    rel: 2e-6,
    abs: 1e-30,
    why: "sums of at most 1028 terms in lanes and a tree; rstd is good to 4 ULP",
  },
  bench: [sample([3200, 64]), sample([8 * 197, 768])],
};

interface Terms {
  readonly values: Array64[];
  readonly sizes: Array64[];
}

/** The three gradients, and Σ|terms| of each element. */
function backward64(inputs: readonly (Array64 | null)[]): Terms {
  const [g, x, weight, mean, rstd] = inputs.map((input) => input ?? absent);
  if (!g || !x || !weight || !mean || !rstd) return { values: [], sizes: [] };
  const { rows, cols } = asRows(x.shape);
  const values = [array64(x.shape), array64([cols]), array64([cols])];
  const sizes = [array64(x.shape), array64([cols]), array64([cols])];
  const put = (list: Array64[], which: number, index: number, value: number): void => {
    const { data } = at(list, which);
    data[index] = at(data, index) + value;
  };
  for (let row = 0; row < rows; row++) {
    const scale = at(rstd.data, row);
    const columns = Array.from({ length: cols }, (_, c) => {
      const slope = at(g.data, row * cols + c);
      const normal = (at(x.data, row * cols + c) - at(mean.data, row)) * scale;
      return { slope, normal, gw: slope * at(weight.data, c) };
    });
    const sum = columns.reduce((a, { gw }) => a + gw, 0) / cols;
    const dot = columns.reduce((a, { gw, normal }) => a + gw * normal, 0) / cols;
    const sumSize = columns.reduce((a, { gw }) => a + Math.abs(gw), 0) / cols;
    const dotSize = columns.reduce((a, { gw, normal }) => a + Math.abs(gw * normal), 0) / cols;
    columns.forEach(({ slope, normal, gw }, c) => {
      put(values, 0, row * cols + c, scale * (gw - sum - normal * dot));
      put(values, 1, c, slope * normal);
      put(values, 2, c, slope);
      put(sizes, 0, row * cols + c, scale * (Math.abs(gw) + sumSize + Math.abs(normal) * dotSize));
      put(sizes, 1, c, Math.abs(slope * normal));
      put(sizes, 2, c, Math.abs(slope));
    });
  }
  return { values, sizes };
}

const backwardInputs = (shape: readonly number[]): InputSpec[] => {
  const { rows } = asRows(shape);
  return [
    { shape },
    { shape },
    { shape: shape.slice(-1) },
    { shape: [rows], range: [-0.1, 0.1] },
    { shape: [rows], range: [0.5, 2] },
  ];
};

/** Oracle of layernormBackward. */
export const layernormBackwardCases: OpCases = {
  reference: (inputs) => backward64(inputs).values,
  scale: (inputs) => backward64(inputs).sizes,
  samples: [
    { inputs: backwardInputs([4, 7]) },
    { inputs: backwardInputs([1, 1]) },
    { inputs: backwardInputs([9]) },
    { inputs: backwardInputs([2, 3, 65]) },
    { inputs: backwardInputs([150, 64]) },
    { inputs: backwardInputs([300, 36]) },
    { inputs: backwardInputs([8200, 3]) }, // several rows each, in every variant
    { inputs: backwardInputs([2, 1028]) },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 3] }, ...backwardInputs([2, 4]).slice(1)],
      throws: /layernormBackward: g and x must have one shape; got g \[2, 3\], x \[2, 4\]/,
    },
  ],
  tolerance: {
    rel: 2e-6,
    abs: 1e-30,
    why: "two products and sums of at most 1028 terms, over rows by blocks and a tree",
  },
  bench: [{ inputs: backwardInputs([3200, 64]) }, { inputs: backwardInputs([8 * 197, 768]) }],
};
