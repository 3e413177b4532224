/** One-sided Jacobi in blocks: rows are made orthogonal by small rotations and products. */
import type { Engine, Tensor } from "../engine/index.ts";
import { JACOBI_SIDE } from "../util/blocks.ts";
import { NoConvergenceError } from "../util/errors.ts";
import { at, ceilDiv } from "../util/shape.ts";
import { get } from "./float64.ts";

/** Rows of a block: two of them meet in one workgroup. */
const BLOCK = JACOBI_SIDE / 2;

/** 2 to 5 are usual after eigenvectors as a start, 6 to 12 without. */
const MAX_SWEEPS = 40;

/** Rounds over all pairs within two blocks, each time they meet; more save no sweeps. */
const INNER_SWEEPS = 2;

/** Cosine between rows that counts as orthogonal: the rounding of their product in f32. */
const tolerance = (length: number): number => Math.max(2 ** -20, 2 ** -24 * Math.sqrt(length));

/** Disjoint pairs of blocks, which turn at once. */
export type Round = readonly (readonly [number, number])[];

/** Largest cosine between a row of block i and one of block j: [blocks, blocks], above the diagonal and on it. */
export interface Cosines {
  readonly blocks: number;
  readonly worst: Float64Array;
}

/** Cosines from the products of all rows [count, count]; rows without length are orthogonal to all. */
function cosinesOf(gram: Float32Array, count: number): Cosines {
  const blocks = ceilDiv(count, BLOCK);
  const worst = new Float64Array(blocks * blocks);
  const inverses = Float64Array.from({ length: count }, (_, row) => {
    const square = at(gram, row * (count + 1));
    return square > 0 ? 1 / Math.sqrt(square) : 0;
  });
  for (let row = 0; row < count; row++) {
    const line = Math.floor(row / BLOCK) * blocks;
    const inverse = get(inverses, row);
    for (let other = row + 1; other < count;) {
      const place = line + Math.floor(other / BLOCK);
      const end = Math.min(count, (Math.floor(other / BLOCK) + 1) * BLOCK);
      let top = get(worst, place);
      for (; other < end; other++) {
        const cosine = Math.abs(gram[row * count + other] ?? 0) * inverse * get(inverses, other);
        if (cosine > top) top = cosine;
      }
      worst[place] = top;
    }
  }
  return { blocks, worst };
}

/** All pairs of 0 … players − 1 (an even number) in the order of a round-robin tournament. */
function* tournament(players: number): Generator<[number, number]> {
  const circle = players - 1;
  for (let round = 0; round < circle; round++)
    for (let pair = 0; pair < players / 2; pair++) {
      const one = (round + pair) % circle;
      const other = pair === 0 ? circle : (round + circle - pair) % circle;
      yield [Math.min(one, other), Math.max(one, other)];
    }
}

/**
 * The pairs of blocks that a sweep has to turn, each once, in as few rounds as first fit finds:
 * those with a cosine above `limit` between them, or within a block that meets no other. Block
 * `blocks`, where it occurs, has no rows.
 */
export function roundsFor({ blocks, worst }: Cosines, limit: number): Round[] {
  const players = blocks + (blocks % 2);
  const isBad = (one: number, other: number): boolean =>
    other < blocks && get(worst, one * blocks + other) > limit;
  const meets = new Set<number>();
  const pairs = Array.from(tournament(players));
  for (const [one, other] of pairs) if (isBad(one, other)) meets.add(one).add(other);
  const wanted = pairs.filter(
    ([one, other]) =>
      isBad(one, other) ||
      // Partners i and i ^ 1 stand for blocks that are bad within alone.
      ((one ^ 1) === other &&
        [one, other].some((block) => isBad(block, block) && !meets.has(block))),
  );
  const rounds: { readonly pairs: [number, number][]; readonly busy: Set<number> }[] = [];
  for (const [one, other] of wanted) {
    let round = rounds.find(({ busy }) => !busy.has(one) && !busy.has(other));
    if (!round) rounds.push((round = { pairs: [], busy: new Set() }));
    round.pairs.push([one, other]);
    round.busy.add(one).add(other);
  }
  return rounds.map(({ pairs: chosen }) => chosen);
}

/** The rows of the blocks of each pair: [P, 32]. */
function rowsOf(engine: Engine, round: Round): Tensor {
  const rows = new Int32Array(round.length * JACOBI_SIDE);
  round.forEach((pair, index) => {
    pair.forEach((block, half) => {
      for (let row = 0; row < BLOCK; row++)
        rows[index * JACOBI_SIDE + half * BLOCK + row] = block * BLOCK + row;
    });
  });
  return engine.tensor(rows, [round.length, JACOBI_SIDE]);
}

/** Turns the pairs of a round: x ← x + (T − I) x, which rounds as little as T − I is small. */
function turnRound(engine: Engine, tables: readonly [Tensor, Tensor], round: Round): void {
  const { ops } = engine;
  engine.scope(() => {
    const indices = rowsOf(engine, round);
    const [rows, turns] = tables.map((table) => ops.gather(table, indices)); // [P, 32, length]
    if (!rows || !turns) return;
    const gram = ops.matmul(rows, rows, null, { transposeB: true });
    const change = ops.jacobiTurn(gram, { sweeps: INNER_SWEEPS });
    ops.addRows(tables[0], indices, ops.matmul(change, rows));
    ops.addRows(tables[1], indices, ops.matmul(change, turns));
  });
}

/**
 * Turns rows [count, length] in place until they are orthogonal up to rounding, and turns
 * [count, any] with them. Blocks of rows that are orthogonal already are left alone.
 *
 * @throws NoConvergenceError if the sweeps do not end.
 */
export async function orthogonaliseRows(
  engine: Engine,
  rows: Tensor,
  turns: Tensor,
): Promise<void> {
  const [count, length] = [at(rows.shape, 0), at(rows.shape, 1)];
  const limit = tolerance(length);
  for (let sweep = 0; ; sweep++) {
    const gram = await engine.scope(() =>
      engine.ops.matmul(rows, rows, null, { transposeB: true }).floats(),
    );
    const cosines = cosinesOf(gram, count);
    const rounds = roundsFor(cosines, limit);
    if (rounds.length === 0) return;
    if (sweep === MAX_SWEEPS)
      throw new NoConvergenceError(
        "one-sided Jacobi",
        sweep,
        cosines.worst.reduce((top, value) => Math.max(top, value), 0),
      );
    for (const round of rounds) turnRound(engine, [rows, turns], round);
  }
}
