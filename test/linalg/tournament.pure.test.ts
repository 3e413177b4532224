/** The pairing that Jacobi's rounds follow: every two rows meet once per sweep. */
import { expect, it } from "vitest";
import { tournament } from "../../src/kernels/jacobi.cases.ts";
import { pairsPerRound, roundsOf } from "../../src/util/tournament.ts";

for (const count of [1, 2, 3, 4, 7, 8, 33])
  it(`${count} rows meet each other once`, () => {
    const met = new Set<string>();
    for (let round = 0; round < roundsOf(count); round++) {
      const pairs = tournament(count, round);
      expect(pairs.length).toBeLessThanOrEqual(pairsPerRound(count));
      const playing = pairs.filter(([p]) => p >= 0);
      expect(new Set(playing.flat()).size).toBe(2 * playing.length); // disjoint
      for (const [p, q] of playing) {
        expect(met.has(`${p} ${q}`)).toBe(false);
        met.add(`${p} ${q}`);
      }
    }
    expect(met.size).toBe((count * (count - 1)) / 2);
  });
