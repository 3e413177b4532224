/** QR decompositions by repeated Cholesky factors of Gram matrices: products, whatever the shape. */
import type { Engine, Tensor } from "../engine/index.ts";
import { DataError, NoConvergenceError, NumericError, ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { refuseCapture } from "./checks.ts";
import { upperFactor } from "./cholesky.ts";
import { get } from "./float64.ts";
import { gram } from "./gram.ts";
import { substitute } from "./triangular.ts";

/** A = Q R with K = min(M, N). */
export interface Qr {
  /** [M, K]: orthonormal columns, whatever the rank of A. */
  readonly q: Tensor;
  /** [K, N]: upper triangular; the diagonal is not negative. */
  readonly r: Tensor;
}

/** Columns on their way to orthonormal ones: A = x · r. */
interface State {
  readonly x: Tensor; // [M, N]
  readonly r: Tensor | null; // [N, N]; null stands for the identity
}

/** What the Gram matrix says of the columns. */
interface Look {
  readonly gram: Float32Array;
  readonly norms: Float64Array;
  /** Largest |G − I|. */
  readonly error: number;
}

const F32_ROUNDING = 2 ** -24;

/** Measured |QᵀQ − I| that ends the passes. */
const ORTHOGONAL = 5e-7;

/** The same where a pass no longer halves it: the measure itself is rounded. */
const ACCEPTED = 5e-6;

/** 3 are usual, 5 to 7 where columns are dependent. */
const MAX_PASSES = 24;

/** Sum of |G − I| in a row, for unit columns, up to which Cholesky needs no shift. */
const NEAR_IDENTITY = 0.5;

/** Shift per column, in roundings of a unit column (Fukaya et al., 2020, whose bound is 11 N (M + N)). */
const SHIFT = 8;

/** Columns that a pass leaves shorter than this are what rounding made of dependent ones. */
const DEPENDENT = 0.1;

async function look(engine: Engine, x: Tensor): Promise<Look> {
  const cols = at(x.shape, 1);
  const values = await engine.scope(() => gram(engine, x).floats());
  const norms = Float64Array.from({ length: cols }, (_, j) => Math.sqrt(at(values, j * cols + j)));
  const bad = norms.findIndex((norm) => !Number.isFinite(norm));
  if (bad >= 0)
    throw new DataError(`qr: column ${bad} of a holds NaN or Inf; check the input for them`);
  let error = 0;
  for (let i = 0; i < cols; i++)
    for (let j = 0; j < cols; j++)
      error = Math.max(error, Math.abs(at(values, i * cols + j) - Number(i === j)));
  return { gram: values, norms, error };
}

/** A power of two near the value, so that dividing by it is exact; 1 for zero. */
const powerOfTwo = (value: number): number =>
  value === 0 ? 1 : 2 ** Math.min(126, Math.max(-126, Math.round(Math.log2(value))));

/** The Gram matrix of columns divided by `scales`, and the largest sum of |G − I| in a row. */
function scaleGram(
  { gram: values, norms }: Look,
  scales: Float64Array,
): { scaled: Float32Array; distance: number } {
  const cols = norms.length;
  const scaled = new Float32Array(values.length);
  let distance = 0;
  for (let i = 0; i < cols; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++) {
      const value = at(values, i * cols + j) / get(scales, i) / get(scales, j);
      scaled[i * cols + j] = value;
      sum += Math.abs(value - Number(i === j));
    }
    distance = Math.max(distance, sum);
  }
  return { scaled, distance };
}

/** R of the Gram matrix plus a shift that grows until Cholesky succeeds. */
async function factorShifted(
  engine: Engine,
  scaled: Float32Array,
  cols: number,
  isNear: boolean,
): Promise<Tensor> {
  for (let shift = isNear ? 0 : SHIFT * cols * F32_ROUNDING; shift < 1;) {
    const shifted = scaled.slice();
    for (let j = 0; j < cols; j++) shifted[j * cols + j] = at(shifted, j * cols + j) + shift;
    const { factor, pivot } = upperFactor(engine, engine.tensor(shifted, [cols, cols]));
    if ((await pivot.item()) < 0) return factor;
    shift = 16 * Math.max(shift, F32_ROUNDING);
  }
  throw new NumericError(
    "qr: no shift makes the Gram matrix positive definite; try another adapter",
  );
}

/** One pass: x ← x D⁻¹ R⁻¹ and r ← R D r, with D the columns' lengths and R the Cholesky factor. */
async function pass(engine: Engine, { x, r }: State, seen: Look): Promise<State> {
  return engine.scope(async () => {
    const { ops } = engine;
    const cols = at(x.shape, 1);
    const scales = seen.norms.map(powerOfTwo);
    const { scaled, distance } = scaleGram(seen, scales);
    const factor = await factorShifted(engine, scaled, cols, distance <= NEAR_IDENTITY);
    const lengths = engine.tensor(Float32Array.from(scales));
    // X R = x by rows: a true substitution keeps x's rounding, an inverse of R would not.
    const lines = ops.permute(ops.div(x, lengths), { axes: [1, 0] }); // [N, M]
    const solved = substitute(engine, factor, lines, { lower: false, transpose: true });
    const step = ops.mul(factor, lengths);
    return {
      x: ops.permute(solved.x, { axes: [1, 0] }),
      r: r ? ops.matmul(step, r) : step,
    };
  });
}

/**
 * Columns that depend on others come out short and may be zero: signs at random, of the size of
 * what rounding left there, give them a direction. R's row for such a column is as short as the
 * shift's root, which keeps the change of A below its rounding.
 */
function addNoise(engine: Engine, x: Tensor, norms: Float64Array, turn: number): Tensor {
  return engine.scope(() => {
    const { ops } = engine;
    const [rows, cols] = [at(x.shape, 0), at(x.shape, 1)];
    const size = F32_ROUNDING / Math.sqrt(SHIFT * cols * F32_ROUNDING) / Math.sqrt(rows);
    const sizes = Float32Array.from(norms, (norm) => (norm < DEPENDENT ? size : 0));
    const level = ops.broadcastTo(engine.tensor(sizes), { shape: [rows, cols] });
    const key = engine.tensor(new Uint32Array([0, 0, turn, 0]));
    const doubled = ops.dropout(level, key, { rate: 0.5 }); // 0 or 2 · size
    return ops.add(x, ops.sub(doubled, level));
  });
}

/** Orthonormal columns Q and R with Q R = x [M, N], M ≥ N; |QᵀQ − I| is measured. */
export async function orthonormalise(engine: Engine, x: Tensor): Promise<Qr> {
  return engine.scope(async () => {
    let state: State = { x, r: null };
    let seen = await look(engine, x);
    for (let turn = 0; turn < MAX_PASSES; turn++) {
      state = await pass(engine, state, seen);
      const before = seen.error;
      seen = await look(engine, state.x);
      const isDone = seen.error <= (2 * seen.error > before ? ACCEPTED : ORTHOGONAL);
      if (isDone && state.r) return { q: state.x, r: state.r };
      if (seen.norms.some((norm) => norm < DEPENDENT)) {
        state = { x: addNoise(engine, state.x, seen.norms, turn), r: state.r };
        seen = await look(engine, state.x);
      }
    }
    throw new NoConvergenceError("Cholesky QR", MAX_PASSES, seen.error);
  });
}

/**
 * x divided by powers of two that bring each column's largest element near 1, and these powers:
 * 0 for zero columns, so that whatever direction they are given adds nothing.
 */
async function scaleColumns(engine: Engine, a: Tensor): Promise<{ x: Tensor; scales: Tensor }> {
  const { ops } = engine;
  const peaks = await ops.max(ops.abs(a), { axes: [0] }).floats();
  const powers = Float32Array.from(peaks, (peak) => (peak < Infinity ? powerOfTwo(peak) : 1));
  const scales = powers.map((power, j) => (at(peaks, j) === 0 ? 0 : power));
  return { x: ops.div(a, engine.tensor(powers)), scales: engine.tensor(scales) };
}

/**
 * Reduced QR decomposition of a matrix [M, N] by shifted Cholesky QR, passes until Q is orthonormal
 * as measured (|QᵀQ − I| ≤ 5e-6), whatever the rank of A and however its columns are graded. Its
 * work is products and substitutions, for M up to millions.
 *
 * @throws ShapeError if `a` is not a matrix or is empty.
 * @throws DataError if it holds NaN or Inf.
 * @throws CaptureError inside a program's capture.
 * @throws NoConvergenceError if the passes do not end.
 */
export async function qr(engine: Engine, a: Tensor): Promise<Qr> {
  refuseCapture("qr", engine);
  const [m = 0, n = 0] = a.shape;
  if (a.shape.length !== 2 || m === 0 || n === 0)
    throw new ShapeError("qr", "a must be a matrix and not empty", { a: a.shape });
  return engine.scope(async () => {
    const { ops } = engine;
    const { x, scales } = await scaleColumns(engine, a);
    const square = m < n ? ops.slice(x, { axis: 1, end: m }) : x;
    const { q, r } = await orthonormalise(engine, square);
    if (m >= n) return { q, r: ops.mul(r, scales) };
    const right = ops.matmul(q, ops.slice(x, { axis: 1, start: m }), null, { transposeA: true });
    return { q, r: ops.mul(ops.concat(r, right, { axis: 1 }), scales) };
  });
}
