/**
 * Squared distances on the unit sphere that keep their digits when they are small. 2 − 2 cos does not:
 * f32 knows a cosine near 1 to 6e-8, more than lies between the samples of a collapsed class.
 */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import type { Likeness } from "./bank.ts";

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
 * −½‖q − x‖² of rows q [B, D] of length 1 and rows x of a bank, as the exact −½‖q_high − x_high‖² and
 * what the small rests add: their rounding is 2⁻¹² of that of a cosine. Three products instead of one.
 */
export function closeness(engine: Engine, query: Tensor): Likeness {
  const { ops } = engine;
  const rows = at(query.shape, 0);
  const across = { transposeB: true } as const;
  const q = splitRows(engine, query);
  const both = ops.concat(q.high, q.low, { axis: 1 }); // [B, 2D]
  const column = (x: Tensor): Tensor => ops.reshape(x, { shape: [rows, 1] });
  const less = (sum: Tensor, ofQuery: Tensor, ofBank: Tensor): Tensor =>
    ops.sub(ops.sub(sum, column(ofQuery)), ofBank);
  return {
    rows,
    of(chunk) {
      const x = splitRows(engine, chunk);
      const exact = ops.matmul(q.high, x.high, null, across); // [B, M]
      const mixed = ops.matmul(both, ops.concat(x.low, x.whole, { axis: 1 }), null, across);
      return ops.add(less(exact, q.halfHigh, x.halfHigh), less(mixed, q.halfRest, x.halfRest));
    },
  };
}
