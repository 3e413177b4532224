/** Spaces that scores of one state share on the GPU: when they are made, and when freed. */
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/index.ts";
import { sharedSpaces } from "../../src/neco/sharedSpaces.ts";
import type { ScoreState } from "../../src/neco/score.ts";

const engine = Object.create(null) as Engine; // a key, no more
const state: ScoreState = { arrays: {}, params: {}, warnings: [] };

/** A way to take spaces, and what became of each. */
function taker() {
  const spaces: { dispose: () => void; freed: number }[] = [];
  const take = sharedSpaces(() => {
    const space = {
      freed: 0,
      dispose() {
        space.freed++;
      },
    };
    spaces.push(space);
    return space;
  });
  return { spaces, take: () => take(engine, state) };
}

describe("sharedSpaces", () => {
  it("are made once, and freed by the last who has one", () => {
    const { spaces, take } = taker();
    const [one, other] = [take(), take()];
    expect(other.space).toBe(one.space);
    one.release();
    expect(spaces.map(({ freed }) => freed)).toEqual([0]);
    other.release();
    expect(spaces.map(({ freed }) => freed)).toEqual([1]);
  });

  it("survive that a user of the space before gives it back twice", () => {
    const { spaces, take } = taker();
    const first = take();
    first.release();
    const second = take();
    first.release();
    expect(spaces.map(({ freed }) => freed)).toEqual([1, 0]);
    expect(take().space).toBe(second.space);
  });
});
