/** Which blocks of rows a sweep of the block Jacobi turns, and in which rounds. */
import { describe, expect, it } from "vitest";
import { roundsFor } from "../../src/linalg/blockJacobi.ts";

const cosines = (blocks: number, bad: (one: number, other: number) => boolean) => ({
  blocks,
  worst: Float64Array.from({ length: blocks * blocks }, (_, index) => {
    const [one, other] = [Math.floor(index / blocks), index % blocks];
    return one <= other && bad(one, other) ? 0.5 : 1e-9;
  }),
});

const LIMIT = 1e-6;

/** The pairs met, after checking that no block plays twice in a round. */
function met(rounds: ReturnType<typeof roundsFor>): string[] {
  for (const round of rounds) expect(new Set(round.flat()).size).toBe(2 * round.length);
  return rounds.flatMap((round) => round.map(([one, other]) => `${one} ${other}`)).sort();
}

describe("a sweep of the block Jacobi", () => {
  for (const blocks of [1, 2, 3, 8, 9, 48])
    it(`lets all of ${blocks} blocks meet once where all are bad`, () => {
      const rounds = roundsFor(
        cosines(blocks, () => true),
        LIMIT,
      );
      const pairs = met(rounds);
      expect(new Set(pairs).size).toBe(pairs.length);
      const real = pairs.filter((pair) => Number(pair.split(" ")[1]) < blocks);
      expect(real).toHaveLength((blocks * (blocks - 1)) / 2);
      expect(rounds.length).toBeLessThanOrEqual(Math.max(1, (blocks - 1) | 1));
    });

  it("leaves orthogonal blocks alone", () => {
    expect(
      roundsFor(
        cosines(9, () => false),
        LIMIT,
      ),
    ).toEqual([]);
    const few = roundsFor(
      cosines(9, (one, other) => one === 2 && (other === 5 || other === 7)),
      LIMIT,
    );
    expect(met(few)).toEqual(["2 5", "2 7"]);
    expect(few).toHaveLength(2);
  });

  it("turns a block that is bad within itself alone with its neighbour, or with no other", () => {
    const within = (block: number) => cosines(5, (one, other) => one === block && other === block);
    expect(met(roundsFor(within(1), LIMIT))).toEqual(["0 1"]);
    expect(met(roundsFor(within(4), LIMIT))).toEqual(["4 5"]); // block 5 has no rows
    // Its own pair does it where it meets another block anyway.
    const both = cosines(5, (one, other) => one === 1 && (other === 1 || other === 3));
    expect(met(roundsFor(both, LIMIT))).toEqual(["1 3"]);
  });
});
