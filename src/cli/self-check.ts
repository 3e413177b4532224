/**
 * A few ops on this adapter against float64 loops: does the driver compute what it should? Quick and
 * shallow, for `neco doctor`; the op table's tests are the thorough answer.
 */
import type { Engine, Tensor } from "../engine/index.ts";
import { erf64 } from "../kernels/erf64.ts";
import { decodeFloat16, encodeFloat16 } from "../util/float16.ts";
import { at } from "../util/shape.ts";

/** One check: how far the worst element is off, as a share of what is allowed. */
export interface CheckResult {
  readonly name: string;
  /** Largest |Δ|. */
  readonly error: number;
  readonly allowed: number;
  readonly ok: boolean;
}

interface Check {
  readonly name: string;
  /** |Δ| that every correct driver keeps: f32 rounding of sums of terms ≤ 1, and room for exp. */
  readonly allowed: number;
  run(ops: Engine["ops"], x: Tensor, w: Tensor): Tensor;
  reference(x: Float32Array, w: Float32Array): ArrayLike<number>;
}

// Odd sizes, so that every tile has a ragged edge.
const ROWS = 37;
const INNER = 65;
const COLS = 19;

const product64 = (x: Float32Array, w: Float32Array): Float64Array =>
  Float64Array.from({ length: ROWS * COLS }, (_, index) => {
    const row = Math.floor(index / COLS);
    const col = index % COLS;
    let sum = 0;
    for (let k = 0; k < INNER; k++) sum += at(x, row * INNER + k) * at(w, k * COLS + col);
    return sum;
  });

const CHECKS: readonly Check[] = [
  {
    name: "matmul",
    allowed: 1e-5,
    run: (ops, x, w) => ops.matmul(x, w, null),
    reference: product64,
  },
  {
    name: "softmax",
    allowed: 1e-6,
    run: (ops, x) => ops.softmax(x),
    reference: (x) =>
      byRow(x, (row) => {
        const exponentials = row.map((value) => Math.exp(value));
        const total = exponentials.reduce((sum, value) => sum + value, 0);
        return exponentials.map((value) => value / total);
      }),
  },
  {
    name: "gelu",
    allowed: 1e-6,
    run: (ops, x) => ops.gelu(x),
    reference: (x) =>
      Float64Array.from(x, (value) => 0.5 * value * (1 + erf64(value * Math.SQRT1_2))),
  },
  {
    name: "sum",
    allowed: 1e-4,
    run: (ops, x) => ops.sum(x),
    reference: (x) => [x.reduce((sum, value) => sum + value, 0)],
  },
];

const halved = (values: Float32Array): Float32Array => decodeFloat16(encodeFloat16(values));

/** Products of f16 are exact and their sums f32, whose last bits tensor cores may cut off. */
const HALF_CHECK: Check = {
  name: "matmul of half floats",
  allowed: 3e-5,
  run: (ops, x, w) =>
    ops.matmul(ops.cast(x, { dtype: "f16" }), ops.cast(w, { dtype: "f16" }), null),
  reference: (x, w) => product64(halved(x), halved(w)),
};

/** Runs the checks, and the first of them twice: the same bits must come out. */
export async function selfCheck(engine: Engine): Promise<CheckResult[]> {
  const random = generator(1);
  const x = Float32Array.from({ length: ROWS * INNER }, random);
  const w = Float32Array.from({ length: INNER * COLS }, random);
  const run = (check: Check): Promise<Float32Array> =>
    engine.scope(async () => {
      const result = check.run(
        engine.ops,
        engine.tensor(x, [ROWS, INNER]),
        engine.tensor(w, [INNER, COLS]),
      );
      return result.floats();
    });
  const results: CheckResult[] = [];
  const hasHalf = engine.caps.features.has("shader-f16");
  for (const check of hasHalf ? [...CHECKS, HALF_CHECK] : CHECKS) {
    const error = largestDifference(await run(check), check.reference(x, w));
    const { name, allowed } = check;
    results.push({ name, error, allowed, ok: error <= allowed });
  }
  const [first] = CHECKS;
  if (first) {
    const error = largestDifference(await run(first), await run(first));
    results.push({ name: `${first.name}, twice the same`, error, allowed: 0, ok: error === 0 });
  }
  return results;
}

/** Numbers in [−1, 1) from a linear congruential generator (Numerical Recipes' constants). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.fround((state / 2 ** 32) * 2 - 1);
  };
}

function byRow(x: Float32Array, change: (row: number[]) => number[]): number[] {
  return Array.from({ length: ROWS }, (_, row) =>
    change([...x.subarray(row * INNER, (row + 1) * INNER)]),
  ).flat();
}

/** NaN counts as infinitely far. */
function largestDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = got.length === expected.length ? 0 : Infinity;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((got[index] ?? Number.NaN) - (expected[index] ?? 0));
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
}
