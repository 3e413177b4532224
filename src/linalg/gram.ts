/** Gram matrices of tall matrices, summed in a tree so that rounding does not grow with the rows. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";

/** Rows of one sum in f32: rounding of like terms adds up. */
const CHUNK_ROWS = 64;

/** Chunks that are multiplied in one dispatch: their products are alive together. */
const CHUNKS = 16;

/** XᵀX of rows that are few enough for a batch of chunks. */
function gramOfGroup(engine: Engine, x: Tensor, first: number, rows: number): Tensor {
  const { ops } = engine;
  const cols = at(x.shape, 1);
  const rowsOf = (from: number, shape: readonly number[]): Tensor =>
    engine.view(x, shape, (first + from) * cols * 4);
  const whole = Math.floor(rows / CHUNK_ROWS);
  const parts: Tensor[] = [];
  if (whole > 0) {
    const batch = rowsOf(0, [whole, CHUNK_ROWS, cols]);
    parts.push(ops.sum(ops.matmul(batch, batch, null, { transposeA: true }), { axes: [0] }));
  }
  if (rows > whole * CHUNK_ROWS) {
    const rest = rowsOf(whole * CHUNK_ROWS, [rows - whole * CHUNK_ROWS, cols]);
    parts.push(ops.matmul(rest, rest, null, { transposeA: true }));
  }
  return parts.reduce((sum, part) => ops.add(sum, part));
}

/** XᵀX [N, N] of x [M, N]. */
export function gram(engine: Engine, x: Tensor): Tensor {
  const rows = at(x.shape, 0);
  const group = CHUNK_ROWS * CHUNKS;
  let total = engine.scope(() => gramOfGroup(engine, x, 0, Math.min(group, rows)));
  for (let first = group; first < rows; first += group) {
    const before = total;
    total = engine.scope(() =>
      engine.ops.add(before, gramOfGroup(engine, x, first, Math.min(group, rows - first))),
    );
    before.dispose();
  }
  return total;
}
