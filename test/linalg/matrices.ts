/** The matrices of test/golden/make_linalg_goldens.py, by the same formulas, and float64 checks. */
import { at } from "../../src/util/shape.ts";
import { generator } from "../ops/samples.ts";

/** Uniform numbers in [−1, 1). */
export function uniform(count: number, seed: number): Float64Array {
  const random = generator(seed);
  return Float64Array.from({ length: count }, () => random() * 2 - 1);
}

type Element = (row: number, column: number) => number;

/** A matrix [size, size] in f32. */
export interface Matrix {
  readonly size: number;
  readonly values: Float32Array;
}

const matrix = (size: number, element: Element): Matrix => ({
  size,
  values: Float32Array.from({ length: size * size }, (_, index) =>
    element(Math.floor(index / size), index % size),
  ),
});

function symmetricElement(size: number, seed: number): Element {
  const values = uniform(size * size, seed);
  return (i, j) => at(values, Math.max(i, j) * size + Math.min(i, j));
}

/** Uniform random symmetric matrix. */
export const symmetric = (size: number, seed: number): Matrix =>
  matrix(size, symmetricElement(size, seed));

function gramElement(size: number, rank: number, seed: number): Element {
  const factor = uniform(size * rank, seed).map((value) => Math.floor(value * 8));
  return (i, j) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += at(factor, i * rank + k) * at(factor, j * rank + k);
    return sum;
  };
}

/** F Fᵀ with small whole numbers in F [size, rank]. */
export const gram = (size: number, rank: number, seed: number): Matrix =>
  matrix(size, gramElement(size, rank, seed));

const toeplitz = (size: number) => matrix(size, (i, j) => 0.5 ** Math.abs(i - j));
const hilbert = (size: number) => matrix(size, (i, j) => 1 / (i + j + 1));

function graded(size: number): Matrix {
  const element = gramElement(size, 2 * size, 5);
  return matrix(size, (i, j) => element(i, j) * 0.5 ** (Math.floor(i / 4) + Math.floor(j / 4)));
}

const wilkinson = (size: number) =>
  matrix(size, (i, j) => (i === j ? Math.abs(i - (size - 1) / 2) : Math.abs(i - j) === 1 ? 1 : 0));

function paired(size: number): Matrix {
  const half = size / 2;
  const element = symmetricElement(half, 6);
  return matrix(size, (i, j) => (i < half === j < half ? 0 : element(i % half, j % half)));
}

function scaled({ size, values }: Matrix, factor: number): Matrix {
  return { size, values: values.map((value) => value * factor) };
}

function clustered(size: number): Matrix {
  const element = symmetricElement(size, 4);
  return matrix(size, (i, j) => (i === j ? 1 : 0) + element(i, j) * 2 ** -14);
}

/** By the names in the goldens. */
export const matrices: Readonly<Record<string, () => Matrix>> = {
  ...Object.fromEntries(
    [1, 2, 3, 7, 32, 33, 64, 65, 97, 200].map((n) => [`symmetric ${n}`, () => symmetric(n, 1)]),
  ),
  "gram 50 full": () => gram(50, 100, 2),
  "gram 100 rank 7": () => gram(100, 7, 3),
  "toeplitz 96": () => toeplitz(96),
  "hilbert 40": () => hilbert(40),
  "graded 72": () => graded(72),
  "wilkinson 65": () => wilkinson(65),
  "paired 80": () => paired(80),
  "clustered 80": () => clustered(80),
  "ones 70": () => matrix(70, () => 1),
  "identity 50": () => matrix(50, (i, j) => (i === j ? 1 : 0)),
  "zero 20": () => matrix(20, () => 0),
  "tiny 40": () => scaled(symmetric(40, 7), 2 ** -100),
  "huge 40": () => scaled(symmetric(40, 7), 2 ** 100),
};

/** Column j of a row-major [size, size]. */
export const columnOf = (values: ArrayLike<number>, size: number, j: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => at(values, i * size + j));

/** Largest ‖A v − λ v‖ / max |λ| and largest |VᵀV − I|, in float64. */
export function eigenErrors(
  { size, values: a }: Matrix,
  lambda: Float64Array,
  vectors: ArrayLike<number>,
): { residual: number; orthogonality: number } {
  const columns = Array.from({ length: size }, (_, j) => columnOf(vectors, size, j));
  const largest = lambda.reduce((top, value) => Math.max(top, Math.abs(value)), 0) || 1;
  let residual = 0;
  let orthogonality = 0;
  columns.forEach((v, j) => {
    let square = 0;
    for (let i = 0; i < size; i++) {
      let sum = -(at(lambda, j) * at(v, i));
      for (let k = 0; k < size; k++) sum += at(a, i * size + k) * at(v, k);
      square += (sum / largest) ** 2;
    }
    residual = Math.max(residual, Math.sqrt(square));
    columns.forEach((other, k) => {
      const dot = v.reduce((sum, value, i) => sum + value * at(other, i), 0);
      orthogonality = Math.max(orthogonality, Math.abs(dot - (j === k ? 1 : 0)));
    });
  });
  return { residual, orthogonality };
}
