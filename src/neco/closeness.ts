/**
 * Squared distances on the unit sphere that keep their digits when they are small. 2 − 2 cos does not:
 * f32 knows a cosine near 1 to 6e-8, more than lies between the samples of a collapsed class.
 */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";

/** Products of multiples of 2⁻¹¹ are multiples of 2⁻²², and sums of them below 4 are exact in f32. */
const GRID = 2048;

/** Rows x of length about 1 as a part on the grid and a rest, x = high + low. */
interface SplitRows {
  readonly whole: Tensor; // [N, D]
  readonly high: Tensor; // [N, D]
  readonly low: Tensor; // [N, D], each at most 2⁻¹²
  /** ½‖high‖², exact: [N]. */
  readonly halfHigh: Tensor;
  /** ½(‖x‖² − ‖high‖²): [N]. */
  readonly halfRest: Tensor;
}

function splitRows({ ops }: Engine, whole: Tensor): SplitRows {
  const perRow = { axes: [1] } as const;
  const steps = ops.floor(ops.affine(whole, { scale: GRID, shift: 0.5 }));
  const high = ops.affine(steps, { scale: 1 / GRID });
  const low = ops.sub(whole, high);
  const halfHigh = ops.affine(ops.sum(ops.square(high), perRow), { scale: 0.5 });
  const rest = ops.sum(ops.mul(low, ops.add(high, whole)), perRow);
  return { whole, high, low, halfHigh, halfRest: ops.affine(rest, { scale: 0.5 }) };
}

/**
 * −½‖q − x‖² of rows q [B, D] and x [M, D] of length 1, as the exact −½‖q_high − x_high‖² and what the
 * small rests add: their rounding is 2⁻¹² of that of a cosine. Three products instead of one: [B, M].
 */
export function closeness(engine: Engine, query: Tensor, bank: Tensor): Tensor {
  const { ops } = engine;
  const across = { transposeB: true } as const;
  const [q, x] = [splitRows(engine, query), splitRows(engine, bank)];
  const column = (row: Tensor): Tensor => ops.reshape(row, { shape: [at(query.shape, 0), 1] });
  const less = (sum: Tensor, ofQuery: Tensor, ofBank: Tensor): Tensor =>
    ops.sub(ops.sub(sum, column(ofQuery)), ofBank);
  const exact = ops.matmul(q.high, x.high, null, across);
  const left = ops.concat(q.high, q.low, { axis: 1 }); // [B, 2D]
  const mixed = ops.matmul(left, ops.concat(x.low, x.whole, { axis: 1 }), null, across);
  return ops.add(less(exact, q.halfHigh, x.halfHigh), less(mixed, q.halfRest, x.halfRest));
}
