/** Least squares: through QR where the rank is full, through singular values where it is not. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, ShapeError } from "../util/errors.ts";
import { normal } from "../util/random.ts";
import { at } from "../util/shape.ts";
import { refuseCapture } from "./checks.ts";
import { qr } from "./qr.ts";
import { svd } from "./svd.ts";
import { substitute } from "./triangular.ts";

/** Noise floor of f32. */
const DEFAULT_RCOND = 1e-6;

/** What {@link lstsq} found. */
export interface LeastSquares {
  /** [N, K]: the shortest x that minimises ‖A x − b‖, column by column. */
  readonly x: Tensor;
  /** Singular values above the cut-off. */
  readonly rank: number;
}

/** Vectors of the estimate, and rounds: together they find the smallest value to a factor below 3. */
const PROBES = 4;
const ROUNDS = 3;

/** Distance from the cut-off at which the estimate is trusted. */
const SAFETY = 10;

const lengthOf = (values: Float32Array): number => {
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  if (largest === 0) return 0;
  return largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0));
};

/** Whether all singular values of R [N, N], upper triangular, are well above rcond · σmax. */
async function isFullRank(engine: Engine, r: Tensor, rcond: number): Promise<boolean> {
  return engine.scope(async () => {
    const size = at(r.shape, 0);
    const values = await r.floats();
    const norm = lengthOf(values); // at least σmax
    if (norm === 0) return false;
    const scaled = engine.tensor(
      values.map((value) => value / norm),
      [size, size],
    );
    // Inverse iteration: the length of (RᵀR)⁻¹ x tends to 1 / σmin² for x of length 1.
    let probe = normal(size * PROBES, { seed: 1 });
    let growth = lengthOf(probe);
    for (let round = 0; round < ROUNDS; round++) {
      const length = growth;
      const x = engine.tensor(
        probe.map((value) => value / length),
        [size, PROBES],
      );
      const down = substitute(engine, scaled, x, { lower: false, transpose: true });
      const next = substitute(engine, scaled, down.x, { lower: false });
      probe = await next.x.floats();
      growth = lengthOf(probe);
      if ((await next.singular.item()) >= 0 || !Number.isFinite(growth)) return false;
    }
    return 1 / Math.sqrt(growth) >= SAFETY * rcond;
  });
}

/**
 * Passes if b [M, K] is finite. A column's sum tells it without reading b, but for sums that overflow.
 * @throws DataError naming the first value that is not.
 */
async function assertFinite(engine: Engine, b: Tensor): Promise<void> {
  const sums = await engine.ops.sum(b, { axes: [0] }).floats();
  if (sums.every(Number.isFinite)) return;
  const values = await b.floats();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const cols = at(b.shape, 1);
  throw new DataError(
    `lstsq: b[${Math.floor(bad / cols)}, ${bad % cols}] is ${at(values, bad)}; check the input for NaN or Inf`,
  );
}

/** x = A⁺ b from the QR of A (tall) or of its transpose (wide). */
async function solve(engine: Engine, a: Tensor, b: Tensor, rcond: number): Promise<LeastSquares> {
  const { ops } = engine;
  const isTall = at(a.shape, 0) >= at(a.shape, 1);
  const { q, r } = await qr(engine, isTall ? a : ops.permute(a, { axes: [1, 0] }));
  const size = at(r.shape, 0);
  // Tall: A⁺ = R⁺ Qᵀ. Wide: A = Rᵀ Qᵀ, so A⁺ = Q R⁺ᵀ.
  const sides = isTall ? ops.matmul(q, b, null, { transposeA: true }) : b;
  const finish = (x: Tensor): Tensor => (isTall ? x : ops.matmul(q, x));
  if (await isFullRank(engine, r, rcond)) {
    const { x } = substitute(engine, r, sides, { lower: false, transpose: !isTall });
    return { x: finish(x), rank: size };
  }
  const { u, values, v } = await svd(engine, r);
  const rank = values.filter((value) => value > rcond * at(values, 0)).length;
  const inverses = Float32Array.from(values, (value, k) => (k < rank ? 1 / value : 0));
  const [left, right] = isTall ? [u, v] : [v, u];
  const parts = ops.matmul(left, sides, null, { transposeA: true });
  return { x: finish(ops.matmul(ops.mul(right, engine.tensor(inverses)), parts)), rank };
}

/**
 * The shortest x [N, K] that minimises ‖A x − b‖ for a [M, N] of any shape and rank and b [M, K];
 * singular values up to rcond · σmax count as zero.
 *
 * @throws ShapeError if `a` is not a matrix, or `b` has other rows.
 * @throws DataError if `a` or `b` holds NaN or Inf.
 * @throws CaptureError inside a program's capture.
 */
export async function lstsq(
  engine: Engine,
  a: Tensor,
  b: Tensor,
  { rcond = DEFAULT_RCOND }: { readonly rcond?: number } = {},
): Promise<LeastSquares> {
  refuseCapture("lstsq", engine);
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== b.shape[0])
    throw new ShapeError("lstsq", "a must be [M, N] and b [M, K]", { a: a.shape, b: b.shape });
  return engine.scope(async () => {
    await assertFinite(engine, b);
    return solve(engine, a, b, rcond);
  });
}
