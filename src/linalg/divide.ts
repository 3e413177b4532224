/** Divide & conquer for symmetric tridiagonal matrices: eigenvectors are multiplied on the GPU. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { merge } from "./conquer.ts";
import type { Half } from "./conquer.ts";
import { get } from "./float64.ts";
import { smallTridiagonal } from "./ql.ts";

/** Rows of a leaf, which the host solves whole: a constant, so the host's work stays O(D²). */
const LEAF = 32;

/** A solved part: what merges need on the host, and its eigenvectors [n, n] on the GPU. */
interface Part extends Half {
  readonly vectors: Tensor;
}

function solveLeaf(engine: Engine, diagonal: Float64Array, offDiagonal: Float64Array): Part {
  const size = diagonal.length;
  const { values, vectors } = smallTridiagonal(diagonal, offDiagonal);
  const order = Array.from(values.keys()).sort((i, j) => get(values, j) - get(values, i));
  const sorted = new Float64Array(size * size);
  for (let row = 0; row < size; row++)
    order.forEach((from, to) => (sorted[row * size + to] = get(vectors, row * size + from)));
  return {
    values: Float64Array.from(order, (index) => get(values, index)),
    first: sorted.slice(0, size),
    last: sorted.slice((size - 1) * size),
    vectors: engine.tensor(new Float32Array(sorted), [size, size]),
  };
}

/** blockdiag(left, right) · factor */
function multiply(engine: Engine, left: Tensor, right: Tensor, factor: Float64Array): Tensor {
  const { ops } = engine;
  const cut = at(left.shape, 0);
  const size = cut + at(right.shape, 0);
  const rounded = new Float32Array(factor);
  const upper = engine.tensor(rounded.subarray(0, cut * size), [cut, size]);
  const lower = engine.tensor(rounded.subarray(cut * size), [size - cut, size]);
  return ops.concat(ops.matmul(left, upper), ops.matmul(right, lower), { axis: 0 });
}

/**
 * Eigenvalues, descending, and eigenvectors (columns of [n, n]) of a symmetric tridiagonal matrix.
 * @throws NoConvergenceError if the host's iterations fail, as NaN makes them.
 */
export function solveTridiagonal(
  engine: Engine,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Part {
  const size = diagonal.length;
  if (size <= LEAF) return solveLeaf(engine, diagonal, offDiagonal);
  const cut = LEAF * Math.max(1, Math.round(size / (2 * LEAF)));
  const coupling = get(offDiagonal, cut - 1);
  const upper = diagonal.slice(0, cut);
  const lower = diagonal.slice(cut);
  // The coupling becomes a rank-one term, whose share on the diagonal is taken off here.
  upper[cut - 1] = get(upper, cut - 1) - Math.abs(coupling);
  lower[0] = get(lower, 0) - Math.abs(coupling);
  return engine.scope(() => {
    const left = solveTridiagonal(engine, upper, offDiagonal.slice(0, cut - 1));
    const right = solveTridiagonal(engine, lower, offDiagonal.slice(cut));
    const { factor, values, first, last } = merge(left, right, coupling);
    const vectors = multiply(engine, left.vectors, right.vectors, factor);
    return { values, first, last, vectors };
  });
}
