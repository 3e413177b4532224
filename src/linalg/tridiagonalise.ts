/** Householder tridiagonalisation A = Q T Qᵀ on the GPU, and the way back, Z → Q Z. */
import type { Engine, Tensor } from "../engine/index.ts";
import { HOUSEHOLDER_TAIL } from "../util/blocks.ts";
import { at, ceilDiv } from "../util/shape.ts";
import { get } from "./float64.ts";

/** Reflectors that are applied together; 64 rows of f32 also begin at an aligned offset. */
const BLOCK = 64;

/** T, and Q as Householder reflectors H₀ H₁ ⋯ with Hₖ = I − τₖ vₖ vₖᵀ, in blocks. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  /** [P, 64, D]: the vectors vₖ in order; zeros after the last one. */
  readonly reflectors: Tensor;
  /** [P, 64, 64]: F of each block V, with I − Vᵀ F V its reflectors' product (compact WY form). */
  readonly factors: Tensor;
}

/**
 * Reduces a symmetric matrix [D, D], which is overwritten. Two dispatches per column, one pass over
 * what is left of the matrix: bound by memory. The last columns are one dispatch.
 */
export async function tridiagonalise(engine: Engine, a: Tensor): Promise<Tridiagonal> {
  const size = at(a.shape, 0);
  const blocks = ceilDiv(size, BLOCK);
  const { ops } = engine;
  const reflectors = engine.zeros([blocks, BLOCK, size]);
  const v = engine.view(reflectors, [size, size], 0);
  const w = engine.zeros([size]);
  const p = engine.zeros([size]);
  const tri = engine.zeros([3, size]); // diagonal, off-diagonal, τ
  const tail = Math.max(0, size - HOUSEHOLDER_TAIL);
  for (let column = 0; column < tail; column++) {
    ops.householderReflect(a, p, v, w, tri, { column });
    ops.householderUpdate(a, v, w, p, { column });
  }
  ops.householderTail(a, p, v, w, tri, { column: tail });
  // A product for each block: the terms of small ones are split, and the sums of like terms round less.
  const products = Array.from({ length: blocks }, (_, block) => {
    const own = engine.view(reflectors, [BLOCK, size], block * BLOCK * size * 4);
    return ops.matmul(own, own, null, { transposeB: true });
  });
  const [rows = new Float32Array(), ...grams] = await Promise.all(
    [tri, ...products].map((tensor) => tensor.floats()),
  );
  const parts = new Float64Array(rows);
  return {
    diagonal: parts.slice(0, size),
    offDiagonal: parts.slice(size, 2 * size - 1),
    reflectors,
    factors: engine.tensor(blockFactors(grams, parts.subarray(2 * size)), [blocks, BLOCK, BLOCK]),
  };
}

/**
 * F of every block, upper triangular, from the Gram matrices of their vectors: column j is −τⱼ F (V vⱼ)
 * above the diagonal and τⱼ on it. O(block³), block fixed.
 */
function blockFactors(grams: readonly Float32Array[], tau: Float64Array): Float32Array {
  const factors = new Float32Array(grams.length * BLOCK * BLOCK);
  for (const [block, gram] of grams.entries()) {
    const factor = new Float64Array(BLOCK * BLOCK);
    const first = block * BLOCK;
    for (let j = 0; j < Math.min(BLOCK, tau.length - first); j++) {
      const own = get(tau, first + j);
      factor[j * BLOCK + j] = own;
      for (let i = 0; i < j; i++) {
        let sum = 0;
        for (let k = i; k < j; k++)
          sum += get(factor, i * BLOCK + k) * (gram[k * BLOCK + j] ?? Number.NaN);
        factor[i * BLOCK + j] = -own * sum;
      }
    }
    factors.set(factor, first * BLOCK);
  }
  return factors;
}

/** Q Z for Z [D, D]: blocks of reflectors, the last first, each three products. */
export function applyReflectors(
  engine: Engine,
  { reflectors, factors }: Tridiagonal,
  z: Tensor,
): Tensor {
  const { ops } = engine;
  const size = at(z.shape, 0);
  let product = z;
  for (let block = at(factors.shape, 0) - 1; block >= 0; block--) {
    const v = engine.view(reflectors, [BLOCK, size], block * BLOCK * size * 4);
    const factor = engine.view(factors, [BLOCK, BLOCK], block * BLOCK * BLOCK * 4);
    const inner = ops.matmul(factor, ops.matmul(v, product));
    const next = ops.sub(product, ops.matmul(v, inner, null, { transposeA: true }));
    if (product !== z) product.dispose();
    product = next;
  }
  return product;
}
