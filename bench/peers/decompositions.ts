/** Decompositions that engines are measured on: their matrices, and judges blind to signs and order. */
import { at } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { uniform } from "../workloads.ts";
import { Matrix, covariance, leastSquares, offTriangle, worse } from "./matrix64.ts";

/** What is decomposed, of matrices with D columns. */
export interface Decomposition {
  readonly kind: "decompose";
  readonly what: "svd" | "qr" | "cholesky" | "lstsq" | "pinvh" | "randomised" | "pca";
  readonly size: number;
}

/** Singular values that randomised methods look for; directions beside them and rounds of A Aᵀ. */
export const RANDOMISED = { rank: 20, oversample: 10, powerIterations: 4 } as const;

/** Right-hand sides of least squares, and rows in D. */
const SIDES = 8;
const TALL = 2;
/** Rows of features for principal components. */
const SAMPLES = 2048;
/** Factor from a column to the next, so that the spectrum falls. */
const FALL = 0.9;

interface Dense {
  readonly shape: Shape;
  readonly values: Float32Array;
}

const random = (rows: number, cols: number, seed: number): Dense => ({
  shape: [rows, cols],
  values: uniform(rows * cols, seed),
});

const scaled = ({ shape, values }: Dense, by: (row: number, col: number) => number): Dense => {
  const cols = at(shape, 1);
  return {
    shape,
    values: values.map((value, index) => value * by(Math.floor(index / cols), index % cols)),
  };
};

/** ½(B + Bᵀ) + 2√D · I for B random: positive definite, condition about 4. */
function positive(size: number): Dense {
  const { shape, values } = random(size, size, 1);
  const mixed = values.map((value, index) => {
    const [row, col] = [Math.floor(index / size), index % size];
    const mean = (value + at(values, col * size + row)) / 2;
    return row === col ? mean + 2 * Math.sqrt(size) : mean;
  });
  return { shape, values: mixed };
}

/** The matrices by name. */
export function matricesOf({ what, size }: Decomposition): Record<string, Dense> {
  switch (what) {
    case "svd":
    case "qr":
      return { a: random(size, size, 1) };
    case "cholesky":
    case "pinvh":
      return { a: positive(size) };
    case "lstsq":
      return { a: random(TALL * size, size, 1), b: random(TALL * size, SIDES, 2) };
    case "randomised":
      return { a: scaled(random(size, size, 1), (_row, col) => FALL ** col) };
    case "pca": // a deviation that falls from 1 to 1/10, about a mean of 3
      return {
        a: scaled(random(SAMPLES, size, 1), (_row, col) => 0.1 ** (col / size)),
      };
    default:
      return what satisfies never;
  }
}

/** What an engine computed, by name. */
type Outputs = Readonly<Record<string, Float32Array>>;

type Judged = (outputs: Outputs) => number;

/** Judges of what has U, values and V, or Q and R, and the like, for a matrix a. */
const judges: Readonly<Record<Decomposition["what"], (a: Matrix, b: Matrix | null) => Judged>> = {
  svd: (a) => (outputs) => {
    const [u, v] = [found(outputs, "u", a), found(outputs, "v", a)];
    const rebuilt = u.stretched(outputs["values"] ?? []).times(v.transposed);
    return [u.skew, v.skew].reduce(worse, rebuilt.offFrom(a));
  },
  randomised: (a) => (outputs) => {
    const wanted = { rows: a.rows, cols: RANDOMISED.rank };
    const [u, v] = [found(outputs, "u", wanted), found(outputs, "v", wanted)];
    return [u.skew, v.skew].reduce(worse, a.times(v).offFrom(u.stretched(outputs["values"] ?? [])));
  },
  qr: (a) => (outputs) => {
    const [q, r] = [found(outputs, "q", a), found(outputs, "r", a)];
    return [q.skew, offTriangle(r, false)].reduce(worse, q.times(r).offFrom(a));
  },
  cholesky: (a) => (outputs) => {
    const l = found(outputs, "l", a);
    return worse(offTriangle(l, true), l.times(l.transposed).offFrom(a));
  },
  lstsq: (a, b) => {
    const expected = b ? leastSquares(a, b) : a;
    return (outputs) => found(outputs, "x", expected).offFrom(expected);
  },
  pinvh: (a) => (outputs) => {
    const x = found(outputs, "x", a);
    return worse(a.times(x).times(a).offFrom(a), x.times(a).times(x).offFrom(x));
  },
  pca(a) {
    const spread = covariance(a);
    return (outputs) => {
      const v = found(outputs, "v", spread);
      return worse(v.skew, spread.times(v).offFrom(v.stretched(outputs["values"] ?? [])));
    };
  },
};

const found = (
  outputs: Outputs,
  name: string,
  { rows, cols }: { readonly rows: number; readonly cols: number },
): Matrix => new Matrix(rows, cols, outputs[name] ?? []);

/** How far an engine's outputs are off: residuals in parts of the matrix, and |QᵀQ − I|. */
export function decompositionJudge(
  { what }: Decomposition,
  inputs: Readonly<Record<string, { readonly shape: Shape; readonly values: ArrayLike<number> }>>,
): Judged {
  const given = (name: string): Matrix | null => {
    const input = inputs[name];
    return input ? new Matrix(at(input.shape, 0), at(input.shape, 1), input.values) : null;
  };
  const a = given("a");
  if (!a) throw new RangeError(`${what} has no input a`);
  return judges[what](a, given("b"));
}

const TITLES: Readonly<Record<Decomposition["what"], string>> = {
  svd: "singular value decomposition",
  qr: "QR",
  cholesky: "Cholesky",
  lstsq: `least squares, ${SIDES} right-hand sides, rows ${TALL} D`,
  pinvh: "pseudo-inverse, symmetric",
  randomised: `randomised SVD, rank ${RANDOMISED.rank}`,
  pca: `principal components of ${SAMPLES} rows`,
};

/** All of them at the two sizes of the table. */
export const decompositions = [128, 768].flatMap((size) =>
  (["svd", "qr", "cholesky", "lstsq", "pinvh", "randomised", "pca"] as const).map((what) => ({
    kind: "decompose" as const,
    what,
    name: `${what}-${size}`,
    title: `${TITLES[what]}, D = ${size}`,
    size,
    flops: 0,
    bytes: 0,
    tolerance: 1e-4,
    why: "residuals in parts of the matrix, and |QᵀQ − I|, up to D · 2⁻²³",
  })),
);
