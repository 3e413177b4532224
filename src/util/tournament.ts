/** Round-robin tournaments: every row meets every other once, in rounds of disjoint pairs. */

/** Pairs in each round; with an odd count one row has a bye. */
export const pairsPerRound = (count: number): number => Math.max(1, Math.ceil(count / 2));

/** Rounds until every row has met every other. */
export const roundsOf = (count: number): number => (count < 2 ? 0 : (count - 1) | 1);
