/** The point that a classifier sees nothing in: u = −W⁺b, where its logits are zero or as near as can be. */
import type { Engine } from "../engine/index.ts";
import type { Head } from "../io/index.ts";
import { addProducts, lowerFactor, pinvh, solveFactored, svd } from "../linalg/index.ts";
import { at } from "../util/shape.ts";
import { dot } from "./arrays.ts";

/** u and what it was found with. */
export interface HeadOrigin {
  /** [D] */
  readonly origin: Float64Array;
  /** Singular values of W above rcond · σmax; null without a bias, where u = 0 whatever W is. */
  readonly rank: number | null;
}

/** Corrections by what W u + b still lacks, computed in float64. */
const CORRECTIONS = 2;

/**
 * Where the eigenvalues of the Gram matrix of W's shorter side spread over less than this, f32 has
 * them to 1 %, which the corrections make good. Trained heads often spread farther: without a bias in
 * the gradients' sum over classes, their rows nearly add up to zero.
 */
const CERTAIN = 1e-5;

/** −(W u + b), in float64. */
const missingLogits = ({ weight, bias, classes, dim }: Head, u: Float64Array): Float64Array =>
  Float64Array.from(
    { length: classes },
    (_, c) => -(dot(weight.subarray(c * dim, (c + 1) * dim), u) + (bias ? at(bias, c) : 0)),
  );

/** Wᵀ x in float64. */
function backProject({ weight, classes, dim }: Head, x: Float64Array): Float64Array {
  const sums = new Float64Array(dim);
  for (let c = 0; c < classes; c++)
    for (let j = 0; j < dim; j++) sums[j] = at(sums, j) + at(x, c) * at(weight, c * dim + j);
  return sums;
}

/** W's Gram matrix over its shorter side, WWᵀ for C ≤ D, in float64: [n · n]. */
function gram64({ weight, classes, dim }: Head): Float64Array {
  const isWide = classes <= dim;
  const n = Math.min(classes, dim);
  const rows = Float64Array.from(weight, (value, index) =>
    isWide ? at(weight, (index % classes) * dim + Math.floor(index / classes)) : value,
  ); // [the other side, n]
  const gram = new Float64Array(n * n);
  addProducts(gram, [rows, rows], () => 1);
  return gram;
}

/** Takes the parts along orthonormal rows [K · n] off a vector. */
function takeOff(rows: Float64Array, vector: Float64Array): Float64Array {
  const n = vector.length;
  const rest = vector.slice();
  for (let start = 0; start < rows.length; start += n) {
    const row = rows.subarray(start, start + n);
    const part = dot(row, rest);
    rest.forEach((value, j) => (rest[j] = value - part * at(row, j)));
  }
  return rest;
}

/** Gram–Schmidt, twice, for what rounding leaves. */
function orthonormalRows(rows: Float64Array, n: number): Float64Array {
  const made = new Float64Array(rows.length);
  for (let start = 0; start < rows.length; start += n) {
    const before = made.subarray(0, start);
    const rest = takeOff(before, takeOff(before, rows.subarray(start, start + n)));
    const length = Math.sqrt(dot(rest, rest));
    made.set(
      rest.map((value) => value / length),
      start,
    );
  }
  return made;
}

/** Rounds of inverse iteration that make f32's singular vectors float64's; each gains 4 digits or more. */
const ROUNDS = 3;

/**
 * u by Cholesky of the Gram matrix in float64, whose small eigenvalues f32 does not have.
 * @param cut - singular vectors [K · n] of the shorter side that count as zero
 */
function originBy64(head: Head, cut: Float64Array): Float64Array {
  const isWide = head.classes <= head.dim;
  const n = Math.min(head.classes, head.dim);
  const gram = gram64(head);
  const trace = gram.reduce((sum, value, index) => sum + (index % (n + 1) === 0 ? value : 0), 0);
  const shifted = gram.map((value, index) => value + (index % (n + 1) === 0 ? 1e-15 * trace : 0));
  const lower = lowerFactor("originOf", shifted, n);
  let none = orthonormalRows(cut, n);
  for (let round = 0; round < ROUNDS; round++)
    none = orthonormalRows(solveFactored(lower, none, n), n);
  const origin = new Float64Array(head.dim);
  for (let round = 0; round <= CORRECTIONS; round++) {
    const lack = missingLogits(head, origin);
    const sides = takeOff(none, isWide ? lack : backProject(head, lack));
    const step = takeOff(none, solveFactored(lower, sides, n));
    (isWide ? backProject(head, step) : step).forEach((value, j) => {
      origin[j] = at(origin, j) + value;
    });
  }
  return origin;
}

/** u of a head whose rank singular values have to tell. */
async function uncertain(engine: Engine, head: Head, rcond: number): Promise<HeadOrigin> {
  const { weight, classes, dim } = head;
  const { u, values, v } = await svd(engine, engine.tensor(weight, [classes, dim]));
  const n = values.length;
  const rank = values.filter((value) => value > rcond * at(values, 0)).length;
  if (rank === 0) return { origin: new Float64Array(dim), rank };
  const vectors = await (classes <= dim ? u : v).floats(); // [n, n], one per column
  const cut = Float64Array.from({ length: (n - rank) * n }, (_, index) =>
    at(vectors, (index % n) * n + rank + Math.floor(index / n)),
  );
  return { origin: originBy64(head, cut), rank };
}

/**
 * u = −W⁺b of a head; singular values of W up to rcond · σmax count as zero. Through the Gram
 * matrix of W's shorter side: W⁺ = Wᵀ(WWᵀ)⁺ for C ≤ D, else (WᵀW)⁺Wᵀ, in f32 with corrections where
 * its spectrum allows that, else in float64.
 */
export async function originOf(engine: Engine, head: Head, rcond: number): Promise<HeadOrigin> {
  const { weight, bias, classes, dim } = head;
  if (!bias?.some((value) => value !== 0)) return { origin: new Float64Array(dim), rank: null };
  const n = Math.min(classes, dim);
  return engine.scope(async () => {
    const { ops } = engine;
    const w = engine.tensor(weight, [classes, dim]);
    const isWide = classes <= dim;
    const gram = ops.matmul(w, w, null, isWide ? { transposeB: true } : { transposeA: true });
    const { inverse, rank, values } = await pinvh(engine, gram, { rcond });
    if (!(at(values, n - 1) > CERTAIN * at(values, 0))) return uncertain(engine, head, rcond);
    const origin = new Float64Array(dim);
    for (let round = 0; round <= CORRECTIONS; round++) {
      const lack = engine.tensor(Float32Array.from(missingLogits(head, origin)), [classes, 1]);
      const step = isWide
        ? ops.matmul(w, ops.matmul(inverse, lack), null, { transposeA: true })
        : ops.matmul(inverse, ops.matmul(w, lack, null, { transposeA: true }));
      (await step.floats()).forEach((value, column) => {
        origin[column] = at(origin, column) + value;
      });
    }
    return { origin, rank };
  });
}
