/** The largest singular values and eigenvalues by randomised subspaces (Halko et al., 2011). */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, ShapeError } from "../util/errors.ts";
import { normal } from "../util/random.ts";
import { at } from "../util/shape.ts";
import { prepareSymmetric, refuseCapture } from "./checks.ts";
import { eigh } from "./eigh.ts";
import type { Eigen } from "./eigh.ts";
import { orthonormalise } from "./qr.ts";
import { quotients, residualOf } from "./rayleigh.ts";
import { svd } from "./svd.ts";
import type { Svd } from "./svd.ts";

/** How a subspace is found. */
export interface RandomisedOptions {
  /** Singular values or eigenvalues wanted. */
  readonly rank: number;
  /** Directions carried along beside those wanted. Default: 10. */
  readonly oversample?: number;
  /** Rounds of A Aᵀ, each with a QR: more for spectra that fall slowly. Default: 4. */
  readonly powerIterations?: number;
  /** Of the random start. Default: 0. */
  readonly seed?: number;
}

/** A linear map and its transpose, on columns. */
interface LinearMap {
  readonly rows: number;
  readonly cols: number;
  readonly forward: (x: Tensor) => Tensor;
  readonly backward: (y: Tensor) => Tensor;
}

function checkRank(op: string, rank: number, shape: readonly number[]): void {
  if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(...shape))
    throw new ShapeError(op, `rank ${rank} is not between 1 and the smaller side`, { a: shape });
}

/** Orthonormal columns [rows, L] that span what the map stretches most. */
async function rangeOf(
  engine: Engine,
  { rows, cols, forward, backward }: LinearMap,
  { rank, oversample = 10, powerIterations = 4, seed = 0 }: RandomisedOptions,
): Promise<Tensor> {
  const width = Math.min(rank + oversample, rows, cols);
  const start = engine.tensor(normal(cols * width, { seed }), [cols, width]);
  let { q } = await orthonormalise(engine, forward(start));
  for (let turn = 0; turn < powerIterations; turn++) {
    const before = q;
    q = await engine.scope(async () => {
      const other = await orthonormalise(engine, backward(before));
      return (await orthonormalise(engine, forward(other.q))).q;
    });
    before.dispose();
  }
  return q;
}

/** a divided by a power of two near its largest element, which is checked, and that power. */
async function scaleWhole(engine: Engine, a: Tensor): Promise<{ scaled: Tensor; scale: number }> {
  const { ops } = engine;
  const peak = await ops.max(ops.abs(a)).item();
  if (!Number.isFinite(peak))
    throw new DataError("randomisedSvd: a holds NaN or Inf; check the input for them");
  const scale = peak === 0 ? 1 : 2 ** Math.max(-126, Math.ceil(Math.log2(peak)));
  return { scaled: ops.div(a, engine.tensor(Float32Array.of(scale))), scale };
}

/**
 * The `rank` largest singular values of a matrix [M, N] and their vectors: U [M, rank], V [N, rank].
 * Products and QR only, M up to millions. Values below the noise of f32 (about 1e-7 of the largest)
 * are not to be trusted; between, the error falls with `powerIterations` as the 4p-th power of
 * σ(L+1) / σ(k).
 *
 * @throws ShapeError if `a` is not a matrix, or has fewer than `rank` rows or columns.
 * @throws DataError if it holds NaN or Inf.
 * @throws CaptureError inside a program's capture.
 */
export async function randomisedSvd(
  engine: Engine,
  a: Tensor,
  options: RandomisedOptions,
): Promise<Svd> {
  refuseCapture("randomisedSvd", engine);
  if (a.shape.length !== 2)
    throw new ShapeError("randomisedSvd", "a must be a matrix", { a: a.shape });
  const { rank } = options;
  checkRank("randomisedSvd", rank, a.shape);
  return engine.scope(async () => {
    const { ops } = engine;
    const { scaled, scale } = await scaleWhole(engine, a);
    const map = {
      rows: at(a.shape, 0),
      cols: at(a.shape, 1),
      forward: (x: Tensor) => ops.matmul(scaled, x),
      backward: (y: Tensor) => ops.matmul(scaled, y, null, { transposeA: true }),
    };
    const q = await rangeOf(engine, map, options); // [M, L]
    const small = await svd(engine, ops.matmul(q, scaled, null, { transposeA: true })); // [L, N]
    return {
      u: ops.matmul(q, ops.slice(small.u, { axis: 1, end: rank })),
      values: small.values.slice(0, rank).map((value) => scale * value),
      v: ops.slice(small.v, { axis: 1, end: rank }),
    };
  });
}

/**
 * The `rank` eigenvalues of largest size of a symmetric matrix [size · size] on the host, in
 * descending order, and their vectors [size, rank].
 *
 * @throws ShapeError if there are fewer than `rank` rows.
 * @throws DataError if it holds NaN or Inf, or is not symmetric.
 * @throws CaptureError inside a program's capture.
 */
export async function largestEigen(
  engine: Engine,
  matrix: Float64Array,
  size: number,
  options: RandomisedOptions,
): Promise<Eigen> {
  refuseCapture("largestEigen", engine);
  const { rank } = options;
  checkRank("largestEigen", rank, [size, size]);
  const { values: scaled, scale } = prepareSymmetric("largestEigen", matrix, size);
  return engine.scope(async () => {
    const { ops } = engine;
    const a = engine.tensor(scaled, [size, size]);
    const apply = (x: Tensor): Tensor => ops.matmul(a, x);
    const map = { rows: size, cols: size, forward: apply, backward: apply };
    const q = await rangeOf(engine, map, options);
    const inner = await eigh(engine, symmetricPart(engine, q, apply(q)));
    const order = Array.from(inner.values.keys())
      .sort((i, j) => Math.abs(at(inner.values, j)) - Math.abs(at(inner.values, i)))
      .slice(0, rank)
      .sort((i, j) => i - j);
    const turned = ops.permute(inner.vectors, { axes: [1, 0] });
    const chosen = ops.gather(turned, engine.tensor(Int32Array.from(order))); // [rank, L]
    const vectors = ops.matmul(q, chosen, null, { transposeB: true });
    const [columns, products] = [await vectors.floats(), await apply(vectors).floats()];
    const values = quotients(columns, columns, products, rank);
    const residual = residualOf(values, columns, products);
    return { values: values.map((value) => scale * value), vectors, residual };
  });
}

/** qᵀ A q with its rounding made symmetric. */
function symmetricPart(engine: Engine, q: Tensor, product: Tensor): Tensor {
  const { ops } = engine;
  const inner = ops.matmul(q, product, null, { transposeA: true });
  const sum = ops.add(inner, ops.permute(inner, { axes: [1, 0] }));
  return ops.affine(sum, { scale: 0.5 });
}
