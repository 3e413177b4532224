/** Householder tridiagonalisation A = Q T Qᵀ on the GPU, and the way back, Z → Q Z. */
import type { Engine, Tensor } from "../engine/index.ts";
import { HOUSEHOLDER_TAIL } from "../util/blocks.ts";
import { at } from "../util/shape.ts";
import { get } from "./float64.ts";

/** Reflectors that are applied together; 64 rows of f32 also begin at an aligned offset. */
const BLOCK = 64;

/** T, and Q as Householder reflectors H₀ H₁ ⋯ with Hₖ = I − τₖ vₖ vₖᵀ. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  readonly tau: Float64Array;
  /** [D, D]: row k is vₖ. */
  readonly reflectors: Tensor;
}

/**
 * Reduces a symmetric matrix [D, D], which is overwritten. Two dispatches per column, one pass over
 * what is left of the matrix: bound by memory. The last columns are one dispatch.
 */
export async function tridiagonalise(engine: Engine, a: Tensor): Promise<Tridiagonal> {
  const size = at(a.shape, 0);
  const { ops } = engine;
  const reflectors = engine.zeros([size, size]);
  const w = engine.zeros([size]);
  const p = engine.zeros([size]);
  const tri = engine.zeros([3, size]); // diagonal, off-diagonal, τ
  const tail = Math.max(0, size - HOUSEHOLDER_TAIL);
  for (let column = 0; column < tail; column++) {
    ops.householderReflect(a, p, reflectors, w, tri, { column });
    ops.householderUpdate(a, reflectors, w, p, { column });
  }
  ops.householderTail(a, p, reflectors, w, tri, { column: tail });
  const parts = new Float64Array(await tri.floats());
  return {
    diagonal: parts.slice(0, size),
    offDiagonal: parts.slice(size, 2 * size - 1),
    tau: parts.slice(2 * size),
    reflectors,
  };
}

/**
 * T of I − Vᵀ T V = H₀ H₁ ⋯ (compact WY form), upper triangular, from the Gram matrix of the rows
 * of V: column j is −τⱼ T (V vⱼ) above the diagonal and τⱼ on it. O(block³), block fixed.
 */
function blockFactor(gram: Float32Array, tau: Float64Array): Float32Array {
  const size = tau.length;
  const factor = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    factor[j * size + j] = get(tau, j);
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum += get(factor, i * size + k) * at(gram, k * size + j);
      factor[i * size + j] = -get(tau, j) * sum;
    }
  }
  return new Float32Array(factor);
}

/** Q Z for Z [D, D]: blocks of reflectors, the last first, each three products. */
export async function applyReflectors(
  engine: Engine,
  { reflectors, tau }: Tridiagonal,
  z: Tensor,
): Promise<Tensor> {
  const { ops } = engine;
  const size = tau.length;
  const starts = Array.from({ length: Math.ceil(size / BLOCK) }, (_, index) => index * BLOCK);
  const blocks = starts.map((start) => {
    const rows = Math.min(BLOCK, size - start);
    const v = engine.view(reflectors, [rows, size], start * size * 4);
    return { v, start, rows, gram: ops.matmul(v, v, null, { transposeB: true }) };
  });
  let product = z;
  for (const { v, start, rows, gram } of blocks.toReversed()) {
    const factor = blockFactor(await gram.floats(), tau.subarray(start, start + rows));
    const inner = ops.matmul(engine.tensor(factor, [rows, rows]), ops.matmul(v, product, null));
    const next = ops.sub(product, ops.matmul(v, inner, null, { transposeA: true }));
    if (product !== z) product.dispose();
    product = next;
  }
  return product;
}
